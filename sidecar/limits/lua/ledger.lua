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
-- ARGV   1  the report, as Report.to_json makes it, in which lists of lists are flat: `terms` has 12 places
--           for a limit, `known` 3; `wants` 2 for a class and 3 for each limit of it; `entries` 4 for each,
--           `penalties` too. Of the last three, and of `seen` and `is_leaving`, only what there is is told
--        2  the server's clock in milliseconds, 3  the run of the server: in tests; production passes neither
-- Reply  ten scalars, the grants in one list (of each the class, the amounts by limit, how long to wait), and
--        then, in the outer list, six numbers of each limit; Answer.from_resp takes it
--
-- Invariants
-- - `used` is the sum of the buckets, `held` that of what accounts hold, `set_aside` that of the shares.
-- - Numbers are whole, but for virtual times and the pace, and below 2^53; a reply would lose fractions.
-- - The name of a limit stands for one window and one width of buckets.
-- - Everything is read and decided before the first write, and that adds: where Redis refuses to write (no
--   memory, no disk, a replica) nothing has changed, and no error can free what is used or held.
-- - Work does not grow with the number of holders, and what time piles up is taken in portions.
--
-- The arithmetic takes less time than what every call makes anew: functions, tables, arguments of commands.
-- - A block is a function that is called once, and a constant stands in the only function that needs it: when
--   a function is made, what it refers to is looked for among all that functions of its block refer to.
-- - A block returns a table of what others call, which does not have to grow.
-- - Lists are flat, and no meter has more than 16 fields, unless the upstream grants nothing of it: the 17th
--   would double the room that it takes.

local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local call = redis.call
local NONE = {} -- where there is no such list; nobody adds to it

local report = cjson.decode(ARGV[1])
local TERMS = 12 -- places in the report that the terms of one limit take
local limits = #report.terms / TERMS -- how many the report names
local terms_at, terms_of = {}, {} -- the terms of these, by place and by name
local now, wall -- the ledger's time, and the server's clock
local state -- what `m` holds
local is_intact -- whether there was such a state
local holders, licensed = 0, 0 -- how many accounts and licences there are
local accounts = {} -- by holder, as far as known here; false: there is none
local licences = {} -- by base, as far as they change here; false: there is none any more
local booked = {} -- by field of the ledger: what is added to it
local passed = {} -- fields of the ledger that have left their window
local is_renewed = false -- whether something must be kept longer than all before

for place = 1, limits do
  local told, first = report.terms, (place - 1) * TERMS
  local terms = {
    name = told[first + 1], amount = told[first + 2], window_ms = told[first + 3],
    bucket_ms = told[first + 4], slack_ms = told[first + 5], burst = told[first + 6],
    is_flight = told[first + 7], is_shadow = told[first + 8], on_loss = told[first + 9],
    calendar = told[first + 10] > 0 and {told[first + 10], told[first + 11], told[first + 12]},
  }
  terms_at[place], terms_of[terms.name] = terms, terms
end

-- ---------------------------------------------------------------------------------------------- limits/meter

local MILLION = 1000000

local Meter = (function()
  local WHOLE = 1000
  local ADOPTED_MS = 600000

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
    return meter.factor == WHOLE and meter.limit or scaled(meter.limit, meter.factor, WHOLE)
  end

  local function cut(terms)
    if terms.calendar then
      return -1
    end
    return floor((now - terms.window_ms - terms.slack_ms) / terms.bucket_ms) - 1
  end

  local function put(meter, bucket, amount)
    local field = meter.terms.name .. ':' .. bucket
    booked[field] = (booked[field] or 0) + amount
    if bucket > meter.newest then meter.newest = bucket end
    meter.used = meter.used + amount
  end

  local function make_whole(meter)
    if meter.used < 0 then
      put(meter, meter.oldest, -meter.used)
    end
  end

  local function new(terms)
    local oldest = cut(terms) + 1
    return {
      terms = terms, used = 0, held = 0, factor = WHOLE, cut_at = 0, heal_at = 0, claims = {},
      pace = terms.burst, paced_at = now, empty_at = now, oldest = oldest, newest = oldest - 1,
      starts = terms.calendar and terms.calendar[1] or 0, ends = terms.calendar and terms.calendar[2] or 0,
      carried = 0, limit = terms.amount,
    }
  end

  local function claim(meter, amount, before)
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
    if wall < ended + terms.slack_ms then
      return
    end
    local starts, ends, next_ends = unpack(terms.calendar)
    if wall < ends + terms.slack_ms then
      meter.starts, meter.ends = starts, ends
    else
      meter.starts, meter.ends = ends, next_ends
    end
    meter.used, meter.carried = meter.starts == ended and meter.carried or 0, 0
    meter.factor = WHOLE
    is_renewed = true
  end

  local function drop_buckets(meter, last)
    local PORTION = 500 -- fields in one command; Lua's unpack can do some thousands
    for first = meter.oldest, last, PORTION do
      local fields = {}
      for bucket = first, min(last, first + PORTION - 1) do
        fields[#fields + 1] = meter.terms.name .. ':' .. bucket
      end
      for place, amount in ipairs(call('HMGET', KEYS[1], unpack(fields))) do
        if amount then
          meter.used = meter.used - tonumber(amount)
          passed[#passed + 1] = fields[place]
        end
      end
    end
  end

  local function roll_window(meter)
    local PACE_SURPLUS, PACE_FLOOR = 1.01, 0.02
    local terms, last, limit = meter.terms, cut(meter.terms), granted_limit(meter)
    if last >= meter.oldest then
      drop_buckets(meter, min(last, meter.newest))
      meter.oldest = last + 1
    end
    make_whole(meter)
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

  local function roll(meter, terms)
    meter.terms = terms
    find_limit(meter)
    if terms.calendar then
      roll_calendar(meter)
    else
      roll_window(meter)
    end
  end

  local function is_over(meter)
    local is_idle = meter.held == 0 and meter.used == 0 and meter.carried == 0
    if next(meter.claims) or not is_idle or meter.newest >= meter.oldest then
      return false
    end
    return meter.factor == WHOLE or (not meter.terms.calendar and now - meter.heal_at >= ADOPTED_MS)
  end

  local function recall(meter, seen)
    local calendar = meter.terms.calendar
    if calendar and calendar[2] == meter.ends then
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

  local function book(meter, amount, at)
    local terms = meter.terms
    if terms.calendar then
      book_calendar(meter, amount, wall - (now - at))
    else
      put(meter, min(max(floor(at / terms.bucket_ms), meter.oldest), floor(now / terms.bucket_ms)), amount)
    end
  end

  local function refund(meter, amount, at)
    local terms = meter.terms
    if terms.calendar then
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

  local function penalize(meter, permille, value)
    local CUT_EVERY_MS, IN_FLIGHT_MS, LET_THROUGH, LEAST_PERMILLE = 1000, 10000, 0.99, 50
    local ADOPTED_ZERO_MS, HEAL_AFTER_MS, LATE_WORD_MS = 86400000, 30000, 60000
    if meter.terms.calendar then
      if (permille < WHOLE or value >= 0) and wall >= meter.starts + LATE_WORD_MS then
        meter.factor = 0
      end
    elseif value >= 0 and value < granted_limit(meter) then
      meter.factor = floor(value * WHOLE / meter.limit)
      meter.cut_at = now + IN_FLIGHT_MS
      meter.heal_at = now + (value > 0 and ADOPTED_MS or ADOPTED_ZERO_MS)
      meter.zero_of = value <= 0 and meter.limit or nil
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

  local function heal(meter)
    local HEAL_EVERY_MS, HEAL_PERMILLE = 6000, 10
    if meter.terms.calendar then
      return
    end
    if meter.zero_of then
      if meter.limit ~= meter.zero_of then
        meter.factor, meter.zero_of = WHOLE, nil
      end
    elseif meter.factor < WHOLE and now >= meter.heal_at and binds(meter) then
      meter.factor = min(WHOLE, meter.factor + HEAL_PERMILLE)
      meter.heal_at = now + HEAL_EVERY_MS
    end
  end

  local function room(meter, set_aside)
    local kept, granted = meter.terms.on_loss == 'share' and set_aside or 0, granted_limit(meter)
    return (kept == 0 and granted or scaled(granted, MILLION - kept, MILLION)) - meter.used - meter.held
  end

  local function paced(meter, room)
    return (meter.terms.calendar or meter.terms.is_flight) and room or floor(meter.pace)
  end

  local function wait_ms(meter, head)
    local WAIT_MOST_MS = 1000
    local terms = meter.terms
    if terms.calendar then
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
  local function closed_until(meter, head)
    local is_spent = meter.terms.calendar and granted_limit(meter) - meter.used < head
    return is_spent and meter.ends + meter.terms.slack_ms or nil
  end

  -- For how long it can matter though nobody calls.
  local function keep_ms(meter)
    local terms = meter.terms
    if terms.calendar then
      local ends = meter.carried > 0 and max(meter.ends, terms.calendar[3]) or meter.ends
      return ends + terms.slack_ms - wall
    end
    local taught = meter.factor < WHOLE and meter.heal_at - now + ADOPTED_MS or 0
    return max(terms.window_ms + terms.slack_ms + 2 * terms.bucket_ms, taught)
  end

  return {
    new = new, claim = claim, roll = roll, is_over = is_over, recall = recall, book = book, refund = refund,
    penalize = penalize, heal = heal, room = room, paced = paced, wait_ms = wait_ms,
    closed_until = closed_until, keep_ms = keep_ms,
  }
end)()

-- ----------------------------------------------------------------------------------------------- limits/fair

-- The wants of the report follow each other in one list, and `at` is the place before one of them. Amounts by
-- limit follow after the last three of these.
local SHARE, WEIGHT, NEED, HEAD, AHEAD = 1, 2, 2, 2 + limits, 2 + 2 * limits
local WANT = 2 + 3 * limits -- places that one takes
local wants = report.wants or NONE

local Queue = (function()
  local SERVED, SEEN, WAITING = 1, 2, 3 -- of a lane

  local contenders = {} -- the lanes that wait, once `enter` has looked at all
  local least, second -- the two of them that were served least; false: there is none; nil: to be found

  local function waits(lane)
    return lane[WAITING] > 0 and now - lane[SEEN] <= report.fresh_ms
  end

  local function withdraw(waiting)
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

  local function wait(share, count)
    local lane = state.lanes[share]
    lane[WAITING], lane[SEEN] = lane[WAITING] + count, now
    if not contenders[share] then
      contenders[share] = lane
      if least ~= nil then compare(lane) end
    end
  end

  local function is_contended()
    return next(contenders) ~= nil
  end

  local function enter()
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
    for at = 0, #wants - 1, WANT do
      local share = wants[at + SHARE]
      local lane = state.lanes[share]
      if not lane then
        state.lanes[share] = {state.virtual, 0, 0}
      elseif lane[SERVED] < state.virtual and not contenders[share] then
        lane[SERVED] = state.virtual
      end
    end
  end

  -- How far the classes that ask were served, in order; the first that was served so far; and after each the
  -- next that was, too. Those served alike go by name, as the report has them: strings are not compared here,
  -- for `<` would ask the server's locale. Numbers are sorted without a call for each comparison.
  local function sort()
    local times, first, after = {}, {}, {}
    for at = #wants - WANT, 0, -WANT do
      local served = state.lanes[wants[at + SHARE]][SERVED]
      if first[served] then
        after[at] = first[served]
      else
        times[#times + 1] = served
      end
      first[served] = at
    end
    table.sort(times)
    return times, first, after
  end

  -- To look at all for each that asks would take the square of their number.
  local function lead(share, weight)
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

  local function serve(share, weight, cost)
    local lane = state.lanes[share]
    lane[SERVED] = lane[SERVED] + cost / weight
    if lane == least or lane == second then
      least = nil
    end
  end

  return {
    withdraw = withdraw, wait = wait, is_contended = is_contended, enter = enter, sort = sort, lead = lead,
    serve = serve,
  }
end)()

-- --------------------------------------------------------------------------------------------- limits/ledger

local NOBODY, FAIR_SHARE = -1, -2
local GRANTED, USED, RETURNED, CLAIMED = 1, 2, 3, 4 -- of a balance; the last is what it claims

local Ledger = (function()
  -- time and place
  local function account_of(holder)
    if accounts[holder] == nil then
      local packed = holders > 0 and call('HGET', KEYS[3], 'lease:' .. holder)
      accounts[holder] = packed and cmsgpack.unpack(packed)
    end
    return accounts[holder]
  end

  -- limits/even_clock
  local function advance()
    local STEP_SLACK_MS = 100
    local account = account_of(report.holder)
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

  -- It is due when time jumped: so it does for a server that lost its last words and takes over.
  local function check(is_due)
    local CHECK_MS = 200
    if not is_due and now - state.checked_at < CHECK_MS then
      return
    end
    state.checked_at, is_renewed = now, true
    local run = run_of_server()
    if run ~= state.run then
      state.run, state.learning_until = run, now + report.learning_ms
    end
    for name, meter in pairs(state.meters) do
      if not terms_of[name] then
        Meter.roll(meter, meter.terms)
        if Meter.is_over(meter) then
          state.meters[name] = nil
        end
      end
    end
  end

  local function meters_told()
    local meters = {}
    for place = 1, limits do
      local terms = terms_at[place]
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

  -- holders
  local function license(base, licence)
    local before = licences[base]
    if before == nil then
      local share = licensed > 0 and call('HGET', KEYS[3], 'licence:' .. base)
      before = share and {share = tonumber(share)}
    end
    if before or licence then
      licences[base] = licence
      state.set_aside = state.set_aside - (before and before.share or 0) + (licence and licence.share or 0)
    end
  end

  local function held_of(balance)
    local held = balance[GRANTED] - balance[USED] - balance[RETURNED]
    return held > 0 and held or 0
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

  local function ended(key, count, most)
    if count == 0 then
      return NONE
    end
    return call('ZRANGEBYSCORE', key, '-inf', string.format('(%d', now), 'LIMIT', '0', most)
  end

  local function reap()
    local REAP_MOST = 16
    for _, base in ipairs(ended(KEYS[4], licensed, REAP_MOST)) do
      license(base, false)
    end
    local expired = ended(KEYS[2], holders, REAP_MOST + 1)
    for place = 1, min(REAP_MOST, #expired) do
      local account = account_of(expired[place])
      accounts[expired[place]], holders = false, holders - 1
      release(account)
      if account.licence_ms > 0 then
        license(account.base, {ends = now + account.licence_ms, share = account.share})
        is_renewed = true
      end
    end
    return #expired > REAP_MOST
  end

  local function enter(meter, balance, granted, used, returned)
    local before = held_of(balance)
    balance[GRANTED], balance[USED], balance[RETURNED] = granted, used, returned
    meter.held = meter.held + held_of(balance) - before
  end

  local function teach(account, meters)
    local relearned, told = 0, report.known
    for place = 1, limits do
      local meter, terms, known = meters[place], terms_at[place], 3 * (place - 1)
      local balance = account.balances[terms.name] or {0, 0, 0, NOBODY}
      local granted = max(balance[GRANTED], told[known + GRANTED])
      local used = max(balance[USED], told[known + USED])
      relearned = relearned + granted - balance[GRANTED]
      if used > balance[USED] then
        Meter.book(meter, used - balance[USED], now)
      end
      enter(meter, balance, granted, used, max(balance[RETURNED], told[known + RETURNED]))
      account.balances[terms.name] = balance
      if balance[CLAIMED] ~= terms.amount then
        Meter.claim(meter, terms.amount, balance[CLAIMED])
        balance[CLAIMED] = terms.amount
      end
    end
    return relearned
  end

  local function book(account, meter, age_ms, amount, kind)
    local USE, RETURN = 0, 1
    local at, balance = now - age_ms, account.balances[meter.terms.name]
    local granted, used, returned = balance[GRANTED], balance[USED], balance[RETURNED]
    if kind == USE then
      enter(meter, balance, granted, used + amount, returned)
      Meter.book(meter, amount, max(at, account.last))
    elseif kind == RETURN then
      enter(meter, balance, granted, used, returned + amount)
      meter.pace = meter.pace + amount
    else
      Meter.book(meter, amount, at)
    end
  end

  local function apply(account, meters)
    local CORRECTION, ENTRY = 2, 4
    local entries = report.entries or NONE
    local sent = report.elapsed_ms < 0 and now or min(now, account.last + report.elapsed_ms)
    for place = max(0, account.seq - report.seq) + 1, #entries / ENTRY do
      local number, age_ms, amount, kind = unpack(entries, (place - 1) * ENTRY + 1, place * ENTRY)
      local meter = meters[number + 1]
      if kind == CORRECTION and amount < 0 then
        Meter.refund(meter, -amount, sent - age_ms)
      else
        book(account, meter, age_ms, amount, kind)
      end
    end
    account.seq = max(account.seq, report.seq + #entries / ENTRY)
  end

  -- The holder is heard: whatever was set aside for it is not needed.
  local function welcome()
    license(report.base, false)
  end

  local function close(account)
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

  local function heed(meters)
    local PENALTY = 4
    local penalties = report.penalties or NONE
    for first = 1, #penalties, PENALTY do
      local number, permille, pause_ms, value = unpack(penalties, first, first + PENALTY - 1)
      if number >= 0 then
        Meter.penalize(meters[number + 1], permille, value)
      end
      state.paused_until = max(state.paused_until, now + pause_ms)
    end
    for place = 1, limits do
      Meter.heal(meters[place])
    end
  end

  return {
    account_of = account_of, advance = advance, check = check, meters = meters_told, reap = reap,
    enter = enter, teach = teach, apply = apply, welcome = welcome, close = close, heed = heed,
  }
end)()

local Grants = (function()
  local GRANT = 2 + limits -- places of one: the class, the amounts by limit, how long to wait
  local grants = {} -- one after the other; `into` is the place of the class in one of them
  local refusal = {denied = NOBODY, head = 1, shadow = {}}
  local rooms, paces, wholes = {}, {}, {} -- by limit: what it has left, what pacing lets go, all of it
  local last_shadow = 0 -- the last place of a limit that is one

  local function cost_of(amounts, after)
    local cost = 0
    for place = 1, limits do
      local part = amounts[after + place] / wholes[place]
      if part > cost then cost = part end
    end
    return cost
  end

  -- The part of what is needed that all limits have, and what refuses more.
  local function part_of(at, meters)
    local part = 1
    for place = 1, limits do
      local need = wants[at + NEED + place]
      if need > 0 then
        local head, room, paced = wants[at + HEAD + place], rooms[place], paces[place]
        local free = paced < room and paced or room
        if paced > 0 and free < head and head <= room then
          free = head
        end
        if free < need and meters[place].terms.is_shadow then
          refusal.shadow[place] = true
        elseif free < need and max(0, free) / need < part then
          part, refusal.denied, refusal.head = max(0, free) / need, place - 1, head
          if part == 0 and place >= last_shadow then break end -- nothing can refuse more
        end
      end
    end
    local lead = part > 0 and Queue.lead(wants[at + SHARE], wants[at + WEIGHT])
    local cost = lead and cost_of(wants, at + NEED)
    if lead and cost * part > lead then
      part, refusal.denied, refusal.head = lead / cost, FAIR_SHARE, wants[at + HEAD + 1]
    end
    return part
  end

  local function refuse(into)
    for place = 1, limits do
      grants[into + place] = 0
    end
  end

  -- Returns whether anything was granted.
  local function serve(at, into, meters)
    local part = part_of(at, meters)
    if part <= 0 then
      return false
    end
    for place = 1, limits do
      local amount, head = floor(wants[at + NEED + place] * part), wants[at + HEAD + place]
      if amount < head then
        if rooms[place] < head and not meters[place].terms.is_shadow then
          return false
        end
        amount = head
      end
      grants[into + place] = amount
    end
    Queue.serve(wants[at + SHARE], wants[at + WEIGHT], cost_of(grants, into))
    return true
  end

  local function prefetch(at, meters)
    local part, ahead = 1, {}
    for place = 1, limits do
      local wanted = wants[at + AHEAD + place]
      if wanted > 0 then
        local meter = meters[place]
        local idle = report.idle_share * meter.limit
        local spare = min(rooms[place], paces[place], idle - meter.held, 2 * idle / max(1, holders))
        part = min(part, max(0, spare) / wanted)
      end
    end
    for place = 1, limits do
      ahead[place] = floor(wants[at + AHEAD + place] * part)
    end
    Queue.serve(wants[at + SHARE], wants[at + WEIGHT], cost_of(ahead, 0))
    return ahead
  end

  local function hand_over(account, meters, amounts, after)
    for place = 1, limits do
      local amount = amounts[after + place]
      if amount ~= 0 then
        local meter = meters[place]
        local balance = account.balances[meter.terms.name]
        rooms[place] = rooms[place] - amount
        meter.pace = meter.pace - amount
        paces[place] = Meter.paced(meter, rooms[place])
        Ledger.enter(meter, balance, balance[GRANTED] + amount, balance[USED], balance[RETURNED])
      end
    end
  end

  local function is_short(at, into)
    for place = 1, limits do
      if grants[into + place] < wants[at + NEED + place] then
        return true
      end
    end
    return false
  end

  -- Returns when asking again is worth it.
  local function grant_want(at, into, account, meters)
    if serve(at, into, meters) then
      hand_over(account, meters, grants, into)
    else
      refuse(into)
    end
    if is_short(at, into) then
      local share, waiting = wants[at + SHARE], max(1, wants[at + NEED + 1] - grants[into + 1])
      account.waiting[share] = waiting
      Queue.wait(share, waiting)
      return Meter.wait_ms(meters[max(0, refusal.denied) + 1], refusal.head)
    end
    if not Queue.is_contended() then
      local ahead = prefetch(at, meters)
      hand_over(account, meters, ahead, 0)
      for place = 1, limits do
        grants[into + place] = grants[into + place] + ahead[place]
      end
    end
    return 0
  end

  local function grant(account, meters, is_closed)
    local set_aside = min(MILLION, state.set_aside)
    for place = 1, limits do
      local meter = meters[place]
      rooms[place] = Meter.room(meter, set_aside)
      paces[place] = Meter.paced(meter, rooms[place])
      wholes[place] = max(1, meter.limit)
      if meter.terms.is_shadow then
        wholes[place], last_shadow = math.huge, place
      end
    end
    Queue.enter()
    Queue.withdraw(account.waiting)
    account.waiting = {}
    local into, times, first, after = 1, Queue.sort()
    for turn = 1, #times do
      local at = first[times[turn]]
      while at do
        local wait_ms = 0
        grants[into] = wants[at + SHARE]
        if is_closed then
          refuse(into)
        else
          wait_ms = grant_want(at, into, account, meters)
        end
        grants[into + limits + 1] = wait_ms
        into, at = into + GRANT, after[at]
      end
    end
    return grants, refusal
  end

  local function blocked_ms(meters)
    local denied = meters[refusal.denied + 1]
    local closed_until = denied and Meter.closed_until(denied, refusal.head) or wall
    return max(0, state.learning_until - now, state.paused_until - now, closed_until - wall)
  end

  return {grant = grant, blocked_ms = blocked_ms}
end)()

local function answer(account, meters, outcome)
  local shadow = outcome.refusal.shadow
  local told = {
    outcome.is_unknown and 1 or 0, state.epoch, Grants.blocked_ms(meters), outcome.refusal.denied, holders,
    max(0, state.learning_until - now), outcome.relearned, account.seq, now, outcome.stepped, outcome.grants,
  }
  local last = #told
  for place = 1, limits do
    local meter = meters[place]
    local balance = account.balances[meter.terms.name]
    told[last + 1], told[last + 2] = balance and balance[GRANTED] or 0, meter.used
    told[last + 3], told[last + 4], told[last + 5] = meter.held, meter.limit, meter.factor
    told[last + 6] = shadow[place] and 1 or 0
    last = last + 6
  end
  return told
end

local function exchange()
  local outcome = {stepped = Ledger.advance(), relearned = 0}
  local meters = Ledger.meters()
  Ledger.check(outcome.stepped ~= 0)
  local is_behind = Ledger.reap()
  local account = Ledger.account_of(report.holder)
  outcome.is_unknown = not account and report.seq > 0
  account = account or {base = report.base, seq = report.seq, last = now, balances = {}, waiting = {}}
  if report.seen and now < state.learning_until then
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
  outcome.grants, outcome.refusal = Grants.grant(account, meters, is_closed)
  if not outcome.is_unknown then
    Ledger.close(account)
  end
  return answer(account, meters, outcome)
end

-- ----------------------------------------------------------------------------------------- how state is kept

local State = (function()
  local function read_clock()
    if ARGV[2] then
      return tonumber(ARGV[2])
    end
    local time = call('TIME')
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
      terms.amount, terms.window_ms, terms.bucket_ms, terms.slack_ms, terms.burst, terms.calendar or NONE,
      meter.empty_at, meter.zero_of or 0,
    }
  end

  local function unpack_terms(name, kept)
    return {
      name = name, amount = kept[14], window_ms = kept[15], bucket_ms = kept[16], slack_ms = kept[17],
      burst = kept[18], calendar = kept[19][1] and kept[19],
    }
  end

  local function unpack_meter(name, kept)
    local meter = {
      used = kept[1], held = kept[2], factor = kept[3], cut_at = kept[4], heal_at = kept[5], claims = kept[6],
      pace = kept[7], paced_at = kept[8], oldest = kept[9], newest = kept[10], starts = kept[11],
      ends = kept[12], carried = kept[13], empty_at = kept[20] or kept[8], limit = kept[14],
      terms = terms_of[name] or unpack_terms(name, kept),
    }
    if (kept[21] or 0) > 0 then
      meter.zero_of = kept[21]
    end
    return meter
  end

  -- One that is new, or of which a part was evicted, begins with nothing and listens.
  local function load()
    local packed, leases, ends = call('HGET', KEYS[1], 'm'), call('ZCARD', KEYS[2]), call('ZCARD', KEYS[4])
    is_intact = packed and call('HLEN', KEYS[3]) == leases + ends
    if not is_intact then
      state = {
        now = wall, offset = 0, run = '', epoch = string.format('%x-%s', wall, report.holder),
        learning_until = wall + report.learning_ms, paused_until = 0, checked_at = 0, virtual = 0,
        set_aside = 0, meters = {}, lanes = {},
      }
      return
    end
    state, holders, licensed = cmsgpack.unpack(packed), leases, ends
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
      call('HSET', KEYS[3], 'lease:' .. holder, cmsgpack.pack(account))
      call('ZADD', KEYS[2], string.format('%d', now + report.lease_ms), holder)
    else
      call('HDEL', KEYS[3], 'lease:' .. holder)
      call('ZREM', KEYS[2], holder)
    end
  end

  local function store_licence(base, licence)
    if licence then
      call('HSET', KEYS[3], 'licence:' .. base, licence.share)
      call('ZADD', KEYS[4], licence.ends, base)
    else
      call('HDEL', KEYS[3], 'licence:' .. base)
      call('ZREM', KEYS[4], base)
    end
  end

  local function store_state()
    local meters = state.meters
    state.meters = {}
    for name, meter in pairs(meters) do
      state.meters[name] = pack_meter(meter)
    end
    call('HSET', KEYS[1], 'm', cmsgpack.pack(state))
  end

  local function store()
    local PORTION = 500
    local keep = is_renewed and keep_ms()
    if not is_intact and call('EXISTS', unpack(KEYS)) > 0 then
      call('DEL', unpack(KEYS))
    end
    store_state()
    for field, amount in pairs(booked) do
      if amount ~= 0 then
        call('HINCRBY', KEYS[1], field, amount)
      end
    end
    for holder, account in pairs(accounts) do
      store_account(holder, account)
    end
    for base, licence in pairs(licences) do
      store_licence(base, licence)
    end
    for first = 1, #passed, PORTION do
      call('HDEL', KEYS[1], unpack(passed, first, min(#passed, first + PORTION - 1)))
    end
    if keep then
      for _, key in ipairs(KEYS) do
        call('PEXPIRE', key, keep)
      end
    end
  end

  return {read_clock = read_clock, load = load, store = store}
end)()

wall = State.read_clock()
State.load()
local reply = exchange()
State.store()
return reply
