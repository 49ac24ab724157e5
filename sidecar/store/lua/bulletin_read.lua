-- All notices of one kind, or none when nothing was put since they were last read.
--
-- KEYS[1]  the hash that bulletin_put.lua writes
-- ARGV[1]  the version that was read last
-- Returns  the time in ms, the version, then if it is another one: key, "stamp value" of each notice
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local version = redis.call('HGET', KEYS[1], '') or ''
local answer = {string.format('%.0f', now), version}
if version == ARGV[1] then
  return answer
end
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  if stored[i] ~= '' then
    answer[#answer + 1] = stored[i]
    answer[#answer + 1] = stored[i + 1]
  end
end
return answer
