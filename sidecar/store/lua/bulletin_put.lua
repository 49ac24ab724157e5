-- Put notices of one kind, and tell all who listen of those that stand.
--
-- KEYS[1]  a hash of the kind: key -> "stamp value"; the empty field holds the version
-- ARGV     channel, kind, the most notices of a kind, then for each notice: key, ms until its deadline, value
-- Returns  the time in ms, the version, then for each notice what stands for its key: "stamp value"
--
-- A stamp is a deadline in ms of this server's clock, so clocks of sidecars do not matter. The later one stands.
-- The hash goes with its last deadline.
local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local now = math.floor(micros / 1000)

local function text(number)
  return string.format('%.0f', number)
end

local function stamp_of(stored)
  return stored and tonumber(string.match(stored, '^%d+')) or 0
end

-- Drop what has ended and then, while there are too many, what ends first.
local function make_room(most)
  local stored, kept = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #stored, 2 do
    if stored[i] ~= '' then
      local stamp = stamp_of(stored[i + 1])
      if stamp <= now then
        redis.call('HDEL', KEYS[1], stored[i])
      else
        kept[#kept + 1] = {stamp, stored[i]}
      end
    end
  end
  table.sort(kept, function(a, b) return a[1] < b[1] end)
  for i = 1, #kept - most do
    redis.call('HDEL', KEYS[1], kept[i][2])
  end
end

local version = math.max(tonumber(redis.call('HGET', KEYS[1], '') or '0') + 1, micros)
local ttl, answer = redis.call('PTTL', KEYS[1]), {text(now), text(version)}
for i = 4, #ARGV, 3 do
  local key, left, value = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local stored, stamp = redis.call('HGET', KEYS[1], key), now + left
  if stamp > stamp_of(stored) then
    stored = text(stamp) .. ' ' .. value
    redis.call('HSET', KEYS[1], key, stored, '', text(version))
    ttl = math.max(ttl, left)
    redis.call('PUBLISH', ARGV[1], cjson.encode({ARGV[2], key, text(stamp), text(now), value}))
  end
  answer[#answer + 1] = stored
end
if ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], text(ttl))
end
if redis.call('HLEN', KEYS[1]) > ARGV[3] + 1 then
  make_room(tonumber(ARGV[3]))
end
return answer
