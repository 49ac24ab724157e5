-- The quota ledger of one limit group: one call takes a report and answers it, for the whole fleet at once.
--
-- What it decides and why that is right is said in limits/ledger.py. The blocks below are limits/meter.py,
-- limits/fair.py and limits/ledger.py, line by line, with the same names. Tests hold them to equal answers:
-- change both or none. Only the last block, how state is kept, is the script's own.
--
-- KEYS   1  hash   `m`: the state that every call needs, packed; `<limit>:<bucket>`: what was used then
--        2  zset   leases: holder -> when its lease ends
--        3  hash   `lease:<holder>`: its account, packed; `licence:<base>`: the share set aside for it
--        4  zset   licences: base -> when its licence ends
--        All have one hash tag, so that a cluster keeps them together. They vanish by themselves when nothing
--        in them can matter any more, and they live and die together: when one was evicted, all are void.
-- ARGV   1  the report, as Report.to_json makes it
--        2  the server's clock in milliseconds, 3  the run of the server: in tests; production passes neither
-- Reply  nested lists, as Answer.from_resp takes them
--
-- Invariants
-- - `used` is the sum of the buckets, `held` that of what accounts hold, `set_aside` that of the shares.
-- - Numbers are whole, but for virtual times and the pace, and below 2^53; a reply would lose fractions.
-- - The name of a limit stands for one window and one width of buckets.
-- - Everything is read and decided before the first write, and that adds: where Redis refuses to write (no
--   memory, no disk, a replica) nothing has changed, and no error can free what is used or held.
-- - Work does not grow with the number of holders, and what time piles up is taken in portions.
--
-- Blocks close their locals behind them: a function that is made looks for what it refers to among all that
-- are still open, at every call. So a constant stands in the only function that needs it.

local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max

local report = cjson.decode(ARGV[1])
local now, wall -- the ledger's time, and the server's clock
local state -- what `m` holds
local is_intact -- whether there was such a state
local holders -- how many accounts there are
local accounts = {} -- by holder, as far as known here; false: there is none
local licences = {} -- by base, as far as they change here; false: there is none any more
local booked = {} -- by field of the ledger: what is added to it
local passed = {} -- fields of the ledger that have left their window
local is_renewed = false -- whether something must be kept longer than all before

-- ---------------------------------------------------------------------------------------------- limits/meter

local MILLION = 1000000

local Meter = {}
do
  local WHOLE = 1000
  local ADOPTED_MS = 600000

  local function is_calendar(terms)
    return terms.calendar[1] ~= nil
  end

  -- The limit is kept in the meter, because it is asked for more often than it changes.
  local function find_limit(meter)
    local least
    for amount in pairs(meter.claims) do
      if not least or amount < least then least = amount end
    end
    meter.limit = least or meter.terms.amount
  end

  -- floor(amount * part / whole), where the product may be too large for a number.
  local function scaled(amount, part, whole)
    return floor(amount / whole) * part + floor(amount % whole * part / whole)
  end

  local function granted_limit(meter)
    return scaled(meter.limit, meter.factor, WHOLE)
  end

  local function cut(terms)
    if is_calendar(terms) then
      return -1
    end
    return floor((now - terms.window_ms - terms.slack_ms) / terms.bucket_ms) - 1
  end

  local function put(meter, bucket, amount)
    local field = meter.terms.name .. ':' .. bucket
    booked[field] = (booked[field] or 0) + amount
    meter.newest = max(meter.newest, bucket)
    meter.used = meter.used + amount
  end

  local function make_whole(meter)
    if meter.used < 0 then
      put(meter, meter.oldest, -meter.used)
    end
  end

  function Meter.new(terms)
    local oldest = cut(terms) + 1
    return {
      terms = terms, used = 0, held = 0, factor = WHOLE, cut_at = 0, heal_at = 0, zero_of = 0, claims = {},
      pace = terms.burst, paced_at = now, empty_at = now, oldest = oldest, newest = oldest - 1,
      starts = terms.calendar[1] or 0, ends = terms.calendar[2] or 0, carried = 0, limit = terms.amount,
    }
  end

  function Meter.claim(meter, amount, before)
    local claims = meter.claims
    if claims[before] then
      claims[before] = claims[before] > 1 and claims[before] - 1 or nil
    end
    if amount >= 0 then
      claims[amount] = (claims[amount] or 0) + 1
    end
    find_limit(meter)
  end

  local function roll_calendar(meter)
    local terms, ended = meter.terms, meter.ends
    local starts, ends, next_ends = unpack(terms.calendar)
    if wall < ended + terms.slack_ms then
      return
    end
    if wall < ends + terms.slack_ms then
      meter.starts, meter.ends = starts, ends
    else
      meter.starts, meter.ends = ends, next_ends
    end
    meter.used, meter.carried = meter.starts == ended and meter.carried or 0, 0
    meter.factor = WHOLE
    is_renewed = true
  end

  local function drop_buckets(meter, first, last)
    local fields = {}
    for bucket = first, last do
      fields[#fields + 1] = meter.terms.name .. ':' .. bucket
    end
    for place, amount in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do
      if amount then
        meter.used = meter.used - tonumber(amount)
        passed[#passed + 1] = fields[place]
      end
    end
  end

  local function roll_window(meter)
    local PACE_SURPLUS, PACE_FLOOR = 1.01, 0.02
    local PORTION = 500 -- fields in one command; Lua's unpack can do some thousands
    local terms, last = meter.terms, cut(meter.terms)
    for first = meter.oldest, min(last, meter.newest), PORTION do
      drop_buckets(meter, first, min(last, meter.newest, first + PORTION - 1))
    end
    meter.oldest = max(meter.oldest, last + 1)
    make_whole(meter)
    local limit = granted_limit(meter)
    local fill = limit > 0 and (meter.used + meter.held) / limit or 1
    local most = max(1, PACE_FLOOR * limit, min(terms.burst, 4 * terms.burst * (1 - fill)))
    if meter.used == 0 and meter.held == 0 then
      meter.empty_at, meter.pace = now, terms.burst
    end
    -- Until what came first has left the window, the burst and what is refilled together make the limit.
    local is_filling = now - meter.empty_at < terms.window_ms
    local portion = is_filling and max(0, limit - terms.burst) or limit * PACE_SURPLUS
    local rate = portion / (terms.window_ms + terms.slack_ms + terms.bucket_ms / 2)
    meter.pace = min(most, meter.pace + (now - meter.paced_at) * rate)
    meter.paced_at = now
  end

  function Meter.roll(meter, terms)
    meter.terms = terms
    find_limit(meter)
    if is_calendar(terms) then
      roll_calendar(meter)
    else
      roll_window(meter)
    end
  end

  function Meter.is_over(meter)
    local is_idle = meter.held == 0 and meter.used == 0 and meter.carried == 0
    if next(meter.claims) or not is_idle or meter.newest >= meter.oldest then
      return false
    end
    return meter.factor == WHOLE or (not is_calendar(meter.terms) and now - meter.heal_at >= ADOPTED_MS)
  end

  function Meter.recall(meter, seen)
    if meter.terms.calendar[2] == meter.ends then
      meter.used = max(meter.used, seen)
    end
  end

  local function book_calendar(meter, amount, at_wall)
    if at_wall >= meter.ends - meter.terms.slack_ms then
      meter.carried = max(0, meter.carried + amount)
      is_renewed = true
    end
    meter.used = meter.used + amount
  end

  function Meter.book(meter, amount, at)
    local terms = meter.terms
    if is_calendar(terms) then
      book_calendar(meter, amount, wall - (now - at))
    else
      put(meter, min(max(floor(at / terms.bucket_ms), meter.oldest), floor(now / terms.bucket_ms)), amount)
    end
  end

  function Meter.refund(meter, amount, at)
    local terms = meter.terms
    if is_calendar(terms) then
      local at_wall = wall - (now - at) - terms.bucket_ms
      if at_wall >= meter.starts - terms.slack_ms then
        book_calendar(meter, -amount, at_wall)
        meter.used = max(0, meter.used)
      end
      return
    end
    local bucket = floor(at / terms.bucket_ms) - 1
    if bucket >= meter.oldest then
      put(meter, bucket, -amount)
      make_whole(meter)
      meter.pace = meter.pace + amount
    end
  end

  function Meter.penalize(meter, permille, value)
    local CUT_EVERY_MS, IN_FLIGHT_MS, LET_THROUGH, LEAST_PERMILLE = 1000, 10000, 0.99, 50
    local ADOPTED_ZERO_MS, HEAL_AFTER_MS, LATE_WORD_MS = 86400000, 30000, 60000
    if is_calendar(meter.terms) then
      if (permille < WHOLE or value >= 0) and wall >= meter.starts + LATE_WORD_MS then
        meter.factor = 0
      end
    elseif value >= 0 and value < granted_limit(meter) then
      meter.factor = floor(value * WHOLE / meter.limit)
      meter.cut_at = now + IN_FLIGHT_MS
      meter.heal_at = now + (value > 0 and ADOPTED_MS or ADOPTED_ZERO_MS)
      meter.zero_of = value > 0 and 0 or meter.limit
    elseif permille < WHOLE and now - meter.cut_at >= CUT_EVERY_MS then
      local let_through = floor(LET_THROUGH * meter.used * WHOLE / max(1, meter.limit))
      local cut = max(LEAST_PERMILLE, let_through, floor(meter.factor * permille / WHOLE))
      meter.factor = min(meter.factor, cut)
      meter.cut_at, meter.heal_at = now, max(meter.heal_at, now + HEAL_AFTER_MS)
    end
  end

  local function binds(meter)
    local BINDING = 0.9
    return meter.used + meter.held >= BINDING * granted_limit(meter)
  end

  function Meter.heal(meter)
    local HEAL_EVERY_MS, HEAL_PERMILLE = 6000, 10
    if is_calendar(meter.terms) then
      return
    end
    if meter.zero_of > 0 then
      if meter.limit ~= meter.zero_of then
        meter.factor, meter.zero_of = WHOLE, 0
      end
    elseif meter.factor < WHOLE and now >= meter.heal_at and binds(meter) then
      meter.factor = min(WHOLE, meter.factor + HEAL_PERMILLE)
      meter.heal_at = now + HEAL_EVERY_MS
    end
  end

  function Meter.room(meter, set_aside)
    local kept = meter.terms.on_loss == 'share' and set_aside or 0
    return scaled(granted_limit(meter), MILLION - kept, MILLION) - meter.used - meter.held
  end

  function Meter.paced(meter, room)
    return (is_calendar(meter.terms) or meter.terms.is_flight) and room or floor(meter.pace)
  end

  function Meter.wait_ms(meter, head)
    local WAIT_MOST_MS = 1000
    local terms = meter.terms
    if is_calendar(terms) then
      return WAIT_MOST_MS
    end
    local spent = terms.is_flight and meter.held or meter.used
    local wait = 1.5 * holders * terms.window_ms * max(1, head) / max(1, spent)
    if not terms.is_flight and granted_limit(meter) <= meter.used + meter.held then
      wait = max(wait, (meter.oldest + 1) * terms.bucket_ms + terms.window_ms + terms.slack_ms - now)
    end
    return floor(min(wait, WAIT_MOST_MS))
  end

  -- When the period ends in which what is wanted of a spent calendar limit cannot be granted; nil: it can.
  function Meter.closed_until(meter, head)
    local is_spent = is_calendar(meter.terms) and granted_limit(meter) - meter.used < head
    return is_spent and meter.ends + meter.terms.slack_ms or nil
  end

  -- For how long it can matter though nobody calls.
  function Meter.keep_ms(meter)
    local terms = meter.terms
    if is_calendar(terms) then
      local ends = meter.carried > 0 and max(meter.ends, terms.calendar[3]) or meter.ends
      return ends + terms.slack_ms - wall
    end
    local taught = meter.factor < WHOLE and meter.heal_at - now + ADOPTED_MS or 0
    return max(terms.window_ms + terms.slack_ms + 2 * terms.bucket_ms, taught)
  end
end

-- ----------------------------------------------------------------------------------------------- limits/fair

-- Of a want, which is one list, as each list costs time; amounts by limit follow after the last three places.
local SHARE, WEIGHT, NEED, HEAD, AHEAD = 1, 2, 2, 2 + #report.terms, 2 + 2 * #report.terms

local Queue = {}
do
  local SERVED, SEEN, WAITING = 1, 2, 3 -- of a lane

  local contenders = {} -- the lanes that wait, once `enter` has looked at all
  local least, second -- the two of them that were served least; false: there is none; nil: to be found

  local function waits(lane)
    return lane[WAITING] > 0 and now - lane[SEEN] <= report.fresh_ms
  end

  function Queue.withdraw(waiting)
    least = nil
    for share, count in pairs(waiting) do
      local lane = state.lanes[share]
      if lane then
        lane[WAITING] = max(0, lane[WAITING] - count)
        contenders[share] = waits(lane) and contenders[share] or nil
      end
    end
  end

  local function compare(lane)
    if not least or lane[SERVED] < least[SERVED] then
      least, second = lane, least
    elseif not second or lane[SERVED] < second[SERVED] then
      second = lane
    end
  end

  function Queue.wait(share, count)
    local lane = state.lanes[share]
    lane[WAITING], lane[SEEN] = lane[WAITING] + count, now
    if not contenders[share] then
      contenders[share] = lane
      if least ~= nil then compare(lane) end
    end
  end

  function Queue.is_contended()
    return next(contenders) ~= nil
  end

  function Queue.enter(wants)
    local FORGOTTEN_MS = 120000
    local reached, most, seen = nil, 0, 0
    for share, lane in pairs(state.lanes) do
      local served = lane[SERVED]
      if waits(lane) then
        contenders[share] = lane
        if not reached or served < reached then reached = served end
      end
      if served > most then most = served end
      if lane[SEEN] > seen then seen = lane[SEEN] end
    end
    if not reached and now - seen > report.fresh_ms then
      reached = most -- nobody has waited for a while: what was served was taken from nobody
    end
    state.virtual = max(state.virtual, reached or 0)
    for share, lane in pairs(state.lanes) do
      if not contenders[share] and now - lane[SEEN] > FORGOTTEN_MS and lane[SERVED] <= state.virtual then
        state.lanes[share] = nil
      end
    end
    for place = 1, #wants do
      local share = wants[place][SHARE]
      local lane = state.lanes[share]
      if not lane then
        state.lanes[share] = {state.virtual, 0, 0}
      elseif lane[SERVED] < state.virtual and not contenders[share] then
        lane[SERVED] = state.virtual
      end
    end
  end

  -- The report has them by name, and so they stay where they were served alike: strings are not compared here,
  -- for `<` would ask the server's locale. Numbers are sorted without a call for each comparison.
  function Queue.sort(wants)
    local times, wants_at, sorted = {}, {}, {}
    for place = 1, #wants do
      local want = wants[place]
      local served = state.lanes[want[SHARE]][SERVED]
      local alike = wants_at[served]
      if alike then
        alike[#alike + 1] = want
      else
        times[#times + 1], wants_at[served] = served, {want}
      end
    end
    table.sort(times)
    for turn = 1, #times do
      local alike = wants_at[times[turn]]
      for place = 1, #alike do
        sorted[#sorted + 1] = alike[place]
      end
    end
    return sorted
  end

  -- To look at all for each that asks would take the square of their number.
  function Queue.lead(share, weight)
    if least == nil then
      least, second = false, false
      for _, lane in pairs(contenders) do
        compare(lane)
      end
    end
    local lane = state.lanes[share]
    local other = least == lane and second or least ~= lane and least
    return other and max(0, (other[SERVED] + report.quantum - lane[SERVED]) * weight)
  end

  function Queue.serve(share, weight, cost)
    local lane = state.lanes[share]
    lane[SERVED] = lane[SERVED] + cost / weight
    if lane == least or lane == second then
      least = nil
    end
  end
end

-- --------------------------------------------------------------------------------------------- limits/ledger

local NOBODY, FAIR_SHARE = -1, -2
local GRANTED, USED, RETURNED, CLAIMED = 1, 2, 3, 4 -- of a balance; the last is what it claims

local Ledger = {}
do -- time and place
  function Ledger.account_of(holder)
    if accounts[holder] == nil then
      local packed = is_intact and redis.call('HGET', KEYS[3], 'lease:' .. holder)
      accounts[holder] = packed and cmsgpack.unpack(packed)
    end
    return accounts[holder]
  end

  -- limits/even_clock
  function Ledger.advance()
    local STEP_SLACK_MS = 100
    local account = Ledger.account_of(report.holder)
    now = wall + state.offset
    local stepped = min(0, now - state.now)
    if stepped == 0 and account and report.elapsed_ms >= 0 then
      local ahead = min(now - account.last - report.elapsed_ms, now - state.now)
      stepped = ahead > STEP_SLACK_MS and ahead or 0
    end
    state.offset = state.offset - stepped
    now = now - stepped
    state.now = now
    return stepped
  end

  local function run_of_server()
    if ARGV[3] then
      return ARGV[3]
    end
    local told = redis.pcall('INFO', 'server') -- an ACL may deny it
    return type(told) == 'string' and string.match(told, 'run_id:(%x+)') or ''
  end

  local function forget_meters()
    local named = {}
    for _, terms in ipairs(report.terms) do
      named[terms.name] = true
    end
    for name, meter in pairs(state.meters) do
      if not named[name] then
        Meter.roll(meter, meter.terms)
        if Meter.is_over(meter) then
          state.meters[name] = nil
        end
      end
    end
  end

  -- It is due when time jumped: so it does for a server that lost its last words and takes over.
  function Ledger.check(is_due)
    local CHECK_MS = 200
    if not is_due and now - state.checked_at < CHECK_MS then
      return
    end
    state.checked_at, is_renewed = now, true
    local run = run_of_server()
    if run ~= state.run then
      state.run, state.learning_until = run, now + report.learning_ms
    end
    forget_meters()
  end

  function Ledger.meters()
    local meters = {}
    for place, terms in ipairs(report.terms) do
      local meter = state.meters[terms.name]
      if not meter then
        meter = Meter.new(terms)
        state.meters[terms.name], is_renewed = meter, true
      end
      Meter.roll(meter, terms)
      meters[place] = meter
    end
    return meters
  end
end

do -- holders
  local USE, RETURN, CORRECTION = 0, 1, 2

  local function ended(key, most)
    return is_intact and redis.call('ZRANGEBYSCORE', key, '-inf', now - 1, 'LIMIT', 0, most) or {}
  end

  local function license(base, licence)
    local before = licences[base]
    if before == nil then
      local share = is_intact and redis.call('HGET', KEYS[3], 'licence:' .. base)
      before = share and {share = tonumber(share)}
    end
    if before or licence then
      licences[base] = licence
      state.set_aside = state.set_aside - (before and before.share or 0) + (licence and licence.share or 0)
    end
  end

  local function held_of(balance)
    return max(0, balance[GRANTED] - balance[USED] - balance[RETURNED])
  end

  local function release(account)
    for name, balance in pairs(account.balances) do
      local meter, held = state.meters[name], held_of(balance)
      meter.held = meter.held - held
      Meter.book(meter, held, now)
      Meter.claim(meter, NOBODY, balance[CLAIMED])
    end
    Queue.withdraw(account.waiting)
  end

  function Ledger.reap()
    local REAP_MOST = 16
    for _, base in ipairs(ended(KEYS[4], REAP_MOST)) do
      license(base, false)
    end
    local expired = ended(KEYS[2], REAP_MOST + 1)
    for place = 1, min(REAP_MOST, #expired) do
      local account = Ledger.account_of(expired[place])
      accounts[expired[place]], holders = false, holders - 1
      release(account)
      if account.licence_ms > 0 then
        license(account.base, {ends = now + account.licence_ms, share = account.share})
        is_renewed = true
      end
    end
    return #expired > REAP_MOST
  end

  function Ledger.enter(meter, balance, granted, used, returned)
    local before = held_of(balance)
    balance[GRANTED], balance[USED], balance[RETURNED] = granted, used, returned
    meter.held = meter.held + held_of(balance) - before
  end

  function Ledger.teach(account, meters)
    local relearned = 0
    for place, meter in ipairs(meters) do
      local terms, known = meter.terms, report.known[place]
      local balance = account.balances[terms.name] or {0, 0, 0, NOBODY}
      local granted, used = max(balance[GRANTED], known[GRANTED]), max(balance[USED], known[USED])
      relearned = relearned + granted - balance[GRANTED]
      if used > balance[USED] then
        Meter.book(meter, used - balance[USED], now)
      end
      Ledger.enter(meter, balance, granted, used, max(balance[RETURNED], known[RETURNED]))
      account.balances[terms.name] = balance
      if balance[CLAIMED] ~= terms.amount then
        Meter.claim(meter, terms.amount, balance[CLAIMED])
        balance[CLAIMED] = terms.amount
      end
    end
    return relearned
  end

  local function book(account, meter, age_ms, amount, kind)
    local at, balance = now - age_ms, account.balances[meter.terms.name]
    local granted, used, returned = unpack(balance)
    if kind == USE then
      Ledger.enter(meter, balance, granted, used + amount, returned)
      Meter.book(meter, amount, max(at, account.last))
    elseif kind == RETURN then
      Ledger.enter(meter, balance, granted, used, returned + amount)
      meter.pace = meter.pace + amount
    else
      Meter.book(meter, amount, at)
    end
  end

  function Ledger.apply(account, meters)
    local sent = report.elapsed_ms < 0 and now or min(now, account.last + report.elapsed_ms)
    for place = max(0, account.seq - report.seq) + 1, #report.entries do
      local number, age_ms, amount, kind = unpack(report.entries[place])
      local meter = meters[number + 1]
      if kind == CORRECTION and amount < 0 then
        Meter.refund(meter, -amount, sent - age_ms)
      else
        book(account, meter, age_ms, amount, kind)
      end
    end
    account.seq = max(account.seq, report.seq + #report.entries)
  end

  -- The holder is heard: whatever was set aside for it is not needed.
  function Ledger.welcome()
    license(report.base, false)
  end

  function Ledger.close(account)
    local is_new = not accounts[report.holder]
    if report.is_leaving then
      release(account)
      accounts[report.holder], holders = false, holders - (is_new and 0 or 1)
      return
    end
    if is_new then
      accounts[report.holder], holders, is_renewed = account, holders + 1, true
    end
    account.last, account.licence_ms = now, report.licence_ms
    account.share = ceil(report.share * MILLION / holders)
  end
end

do -- grants
  function Ledger.heed(meters)
    for _, penalty in ipairs(report.penalties) do
      local number, permille, pause_ms, value = unpack(penalty)
      if number >= 0 then
        Meter.penalize(meters[number + 1], permille, value)
      end
      state.paused_until = max(state.paused_until, now + pause_ms)
    end
    for _, meter in ipairs(meters) do
      Meter.heal(meter)
    end
  end

  local function zeros(count)
    local amounts = {}
    for place = 1, count do
      amounts[place] = 0
    end
    return amounts
  end

  local function cost_of(amounts, after, meters)
    local cost = 0
    for place = 1, #meters do
      local amount, meter = amounts[after + place], meters[place]
      if amount > 0 and not meter.terms.is_shadow then
        cost = max(cost, amount / max(1, meter.limit))
      end
    end
    return cost
  end

  -- The part of what is needed that all limits have, and what refuses more.
  local function part_of(want, meters, rooms, refusal)
    local part = 1
    for place = 1, #meters do
      local need = want[NEED + place]
      if need > 0 then
        local meter, head, room = meters[place], want[HEAD + place], rooms[place]
        local paced = Meter.paced(meter, room)
        local free = min(room, paced)
        if paced > 0 and free < head and head <= room then
          free = head
        end
        if free < need and meter.terms.is_shadow then
          refusal.shadow[place] = true
        elseif free < need and max(0, free) / need < part then
          part = max(0, free) / need
          refusal.denied, refusal.head = place - 1, head
        end
      end
    end
    local lead = part > 0 and Queue.lead(want[SHARE], want[WEIGHT])
    local cost = lead and cost_of(want, NEED, meters)
    if lead and cost * part > lead then
      part, refusal.denied, refusal.head = lead / cost, FAIR_SHARE, want[HEAD + 1]
    end
    return part
  end

  local function serve(want, meters, rooms, refusal)
    local part, amounts = part_of(want, meters, rooms, refusal), {}
    for place = 1, #meters do
      local amount, head = floor(want[NEED + place] * part), want[HEAD + place]
      if amount < head then
        if part <= 0 or (rooms[place] < head and not meters[place].terms.is_shadow) then
          return zeros(#meters)
        end
        amount = head
      end
      amounts[place] = amount
    end
    Queue.serve(want[SHARE], want[WEIGHT], cost_of(amounts, 0, meters))
    return amounts
  end

  local function prefetch(want, meters, rooms)
    local part, amounts = 1, {}
    for place = 1, #meters do
      local meter, room, wanted = meters[place], rooms[place], want[AHEAD + place]
      if wanted > 0 then
        local idle = report.idle_share * meter.limit
        local spare = min(room, Meter.paced(meter, room), idle - meter.held, 2 * idle / max(1, holders))
        part = min(part, max(0, spare) / wanted)
      end
    end
    for place = 1, #meters do
      amounts[place] = floor(want[AHEAD + place] * part)
    end
    Queue.serve(want[SHARE], want[WEIGHT], cost_of(amounts, 0, meters))
    return amounts
  end

  local function hand_over(account, meters, rooms, amounts)
    for place = 1, #meters do
      local amount = amounts[place]
      if amount ~= 0 then
        local meter = meters[place]
        local balance = account.balances[meter.terms.name]
        rooms[place] = rooms[place] - amount
        meter.pace = meter.pace - amount
        Ledger.enter(meter, balance, balance[GRANTED] + amount, balance[USED], balance[RETURNED])
      end
    end
  end

  local function is_short(want, amounts)
    for place = 1, #amounts do
      if amounts[place] < want[NEED + place] then
        return true
      end
    end
    return false
  end

  local function grant(want, account, meters, rooms, refusal)
    local share, amounts = want[SHARE], serve(want, meters, rooms, refusal)
    hand_over(account, meters, rooms, amounts)
    if is_short(want, amounts) then
      local waiting = max(1, want[NEED + 1] - amounts[1])
      account.waiting[share] = waiting
      Queue.wait(share, waiting)
      return {share, amounts, Meter.wait_ms(meters[max(0, refusal.denied) + 1], refusal.head)}
    end
    if not Queue.is_contended() then
      local ahead = prefetch(want, meters, rooms)
      hand_over(account, meters, rooms, ahead)
      for place = 1, #meters do
        amounts[place] = amounts[place] + ahead[place]
      end
    end
    return {share, amounts, 0}
  end

  function Ledger.grant(account, meters, is_closed)
    local rooms, grants = {}, {}
    local refusal = {denied = NOBODY, head = 1, shadow = {}}
    for place, meter in ipairs(meters) do
      rooms[place] = Meter.room(meter, min(MILLION, state.set_aside))
    end
    Queue.enter(report.wants)
    Queue.withdraw(account.waiting)
    account.waiting = {}
    for place, want in ipairs(Queue.sort(report.wants)) do
      if is_closed then
        grants[place] = {want[SHARE], zeros(#meters), 0}
      else
        grants[place] = grant(want, account, meters, rooms, refusal)
      end
    end
    return grants, refusal
  end

  function Ledger.blocked_ms(refusal, meters)
    local denied = meters[refusal.denied + 1]
    local closed_until = denied and Meter.closed_until(denied, refusal.head) or wall
    return max(0, state.learning_until - now, state.paused_until - now, closed_until - wall)
  end
end

local function answer(account, meters, outcome)
  local granted, levels, shadow_denied = {}, {}, {}
  for place, meter in ipairs(meters) do
    local balance = account.balances[meter.terms.name]
    granted[place] = balance and balance[GRANTED] or 0
    levels[place] = {meter.used, meter.held, meter.limit, meter.factor}
    if outcome.refusal.shadow[place] then
      shadow_denied[#shadow_denied + 1] = place - 1
    end
  end
  return {
    outcome.is_unknown and 1 or 0, state.epoch, granted, outcome.grants,
    Ledger.blocked_ms(outcome.refusal, meters), outcome.refusal.denied, holders,
    max(0, state.learning_until - now), levels, outcome.relearned, account.seq, now, outcome.stepped,
    shadow_denied,
  }
end

local function exchange()
  local outcome = {stepped = Ledger.advance(), relearned = 0}
  local meters = Ledger.meters()
  Ledger.check(outcome.stepped ~= 0)
  local is_behind = Ledger.reap()
  local account = Ledger.account_of(report.holder)
  outcome.is_unknown = not account and report.seq > 0
  account = account or {base = report.base, seq = report.seq, last = now, balances = {}, waiting = {}}
  if now < state.learning_until then
    for place = 1, min(#meters, #report.seen) do
      Meter.recall(meters[place], report.seen[place])
    end
  end
  if not outcome.is_unknown then
    Ledger.welcome()
    outcome.relearned = Ledger.teach(account, meters)
    Ledger.apply(account, meters)
  end
  Ledger.heed(meters)
  local is_listening = now < state.learning_until or now < state.paused_until or is_behind
  local is_closed = outcome.is_unknown or report.is_leaving or is_listening
  outcome.grants, outcome.refusal = Ledger.grant(account, meters, is_closed)
  if not outcome.is_unknown then
    Ledger.close(account)
  end
  return answer(account, meters, outcome)
end

-- ----------------------------------------------------------------------------------------- how state is kept

local State = {}
do
  function State.read_clock()
    if ARGV[2] then
      return tonumber(ARGV[2])
    end
    local time = redis.call('TIME')
    return time[1] * 1000 + floor(time[2] / 1000)
  end

  -- Packed as lists: names would take half of the script's time. Of the terms it keeps what a meter needs to
  -- go on while no report names it. What a version adds stands at the end and has a default: while a fleet is
  -- upgraded, the script of the version before writes here too.
  local function pack_meter(meter)
    local terms = meter.terms
    return {
      meter.used, meter.held, meter.factor, meter.cut_at, meter.heal_at, meter.claims, meter.pace,
      meter.paced_at, meter.oldest, meter.newest, meter.starts, meter.ends, meter.carried,
      terms.amount, terms.window_ms, terms.bucket_ms, terms.slack_ms, terms.burst, terms.calendar,
      meter.empty_at, meter.zero_of,
    }
  end

  local function unpack_meter(name, kept)
    return {
      used = kept[1], held = kept[2], factor = kept[3], cut_at = kept[4], heal_at = kept[5], claims = kept[6],
      pace = kept[7], paced_at = kept[8], oldest = kept[9], newest = kept[10], starts = kept[11],
      ends = kept[12], carried = kept[13], empty_at = kept[20] or kept[8], zero_of = kept[21] or 0,
      terms = {
        name = name, amount = kept[14], window_ms = kept[15], bucket_ms = kept[16], slack_ms = kept[17],
        burst = kept[18], calendar = kept[19],
      },
    }
  end

  -- One that is new, or of which a part was evicted, begins with nothing and listens.
  function State.load()
    local packed = redis.call('HGET', KEYS[1], 'm')
    local leases, ends = redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[4])
    is_intact = packed and redis.call('HLEN', KEYS[3]) == leases + ends
    if not is_intact then
      holders = 0
      state = {
        now = wall, offset = 0, run = '', epoch = string.format('%x-%s', wall, report.holder),
        learning_until = wall + report.learning_ms, paused_until = 0, checked_at = 0, virtual = 0,
        set_aside = 0, meters = {}, lanes = {},
      }
      return
    end
    state, holders = cmsgpack.unpack(packed), leases
    for name, kept in pairs(state.meters) do
      state.meters[name] = unpack_meter(name, kept)
    end
  end

  -- For how long nothing may be lost though nobody calls.
  local function keep_ms()
    local KEEP_MARGIN_MS = 1000 -- more than passes between two checks
    local keep = max(report.licence_ms, state.paused_until - now)
    for _, meter in pairs(state.meters) do
      keep = max(keep, Meter.keep_ms(meter))
    end
    return report.lease_ms + keep + KEEP_MARGIN_MS
  end

  local function store_account(holder, account)
    if account then
      redis.call('HSET', KEYS[3], 'lease:' .. holder, cmsgpack.pack(account))
      redis.call('ZADD', KEYS[2], now + report.lease_ms, holder)
    else
      redis.call('HDEL', KEYS[3], 'lease:' .. holder)
      redis.call('ZREM', KEYS[2], holder)
    end
  end

  local function store_licence(base, licence)
    if licence then
      redis.call('HSET', KEYS[3], 'licence:' .. base, licence.share)
      redis.call('ZADD', KEYS[4], licence.ends, base)
    else
      redis.call('HDEL', KEYS[3], 'licence:' .. base)
      redis.call('ZREM', KEYS[4], base)
    end
  end

  local function store_state()
    local meters = state.meters
    state.meters = {}
    for name, meter in pairs(meters) do
      state.meters[name] = pack_meter(meter)
    end
    redis.call('HSET', KEYS[1], 'm', cmsgpack.pack(state))
  end

  function State.store()
    local PORTION = 500
    local keep = is_renewed and keep_ms()
    if not is_intact and redis.call('EXISTS', unpack(KEYS)) > 0 then
      redis.call('DEL', unpack(KEYS))
    end
    store_state()
    for field, amount in pairs(booked) do
      if amount ~= 0 then
        redis.call('HINCRBY', KEYS[1], field, amount)
      end
    end
    for holder, account in pairs(accounts) do
      store_account(holder, account)
    end
    for base, licence in pairs(licences) do
      store_licence(base, licence)
    end
    for first = 1, #passed, PORTION do
      redis.call('HDEL', KEYS[1], unpack(passed, first, min(#passed, first + PORTION - 1)))
    end
    if keep then
      for _, key in ipairs(KEYS) do
        redis.call('PEXPIRE', key, keep)
      end
    end
  end
end

wall = State.read_clock()
State.load()
local reply = exchange()
State.store()
return reply
