-- Charges all counters of a request, or none of them; or gives back what a request was charged.
--
-- KEYS: the counters. ARGV: 'spend' or 'give-back'; then of each counter
--   how it counts: 'bucket', 'sliding', 'fixed', 'log';
--   a bucket: the time in which one token comes back, and that in which an empty one fills; others: length and quota of a
--   window;
--   what the request costs;
--   when it was spent, to give it back.
-- Answers the time; and when it charges, of each counter when it is fresh, both counts, and how long it makes the request
-- wait; of a log when the first of it ends, how many count, and zero.
--
-- All times are microseconds since 1970. These and all that is reckoned with them are whole numbers under 2 ^ 53, which a
-- double holds exactly. The decisions are those of `gcra.rs`, `window.rs` and `log.rs`, by the clock of this server alone.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- A counter is 'fresh_at current previous'. What is not there is fresh.
local function load(key)
    local kept = redis.call('GET', key)
    if not kept then
        return { fresh = 0, current = 0, previous = 0 }
    end
    local fresh, current, previous = string.match(kept, '^(%d+) (%d+) (%d+)$')
    if not fresh then
        return nil
    end
    return { fresh = tonumber(fresh), current = tonumber(current), previous = tonumber(previous) }
end

-- A log is when each of its units ends, the first first. Those that have ended are left out. No unit ends later than one that
-- comes now: one that does was written before the clock was set back.
local function load_log(counter)
    local state = { fresh = 0, ends = {} }
    local kept = redis.call('GET', counter.key)
    if not kept then
        return state
    end
    if not string.match(kept, '^%d[%d ]*$') then
        return nil
    end
    for number in string.gmatch(kept, '%d+') do
        local ends = tonumber(number)
        if ends > now + counter.length then
            ends, counter.mend = now + counter.length, true
        end
        if ends > now then
            table.insert(state.ends, ends)
            state.fresh = ends
        end
    end
    return state
end

local function written(state)
    if not state.ends then
        return string.format('%.0f %.0f %.0f', state.fresh, state.current, state.previous)
    end
    local numbers = {}
    for index, ends in ipairs(state.ends) do
        numbers[index] = string.format('%.0f', ends)
    end
    return table.concat(numbers, ' ')
end

-- It ends when it is fresh: from then on it says nothing that a counter which is not there does not.
local function store(key, state)
    if state.fresh <= now then
        redis.call('DEL', key)
        return
    end
    redis.call('SET', key, written(state), 'PX', string.format('%.0f', math.ceil((state.fresh - now) / 1000)))
end

local function span(counter)
    return counter.way == 'sliding' and 2 * counter.length or counter.length
end

local function begin(counter, at)
    return at - at % counter.length
end

-- No counter is fresh later than this. One that is was written before the clock was set back: it is used up, and no longer
-- than it would be now.
local function latest(counter)
    if counter.way == 'bucket' then
        return now + counter.fills
    end
    return begin(counter, now) + span(counter)
end

-- The window that a counter is in: when it began, its count and that of the one before.
local function window(counter, state)
    local begun = begin(counter, now)
    if state.fresh <= now then
        return { start = begun, current = 0, previous = 0 }
    end
    if state.fresh - span(counter) >= begun then
        return { start = begun, current = state.current, previous = state.previous }
    end
    return { start = begun, current = 0, previous = state.current }
end

local function state_of(counter, window)
    local previous = counter.way == 'sliding' and window.previous or 0
    return { fresh = window.start + span(counter), current = window.current, previous = previous }
end

-- How much of a window with these counts must have passed before the cost passes; nil: it will not do.
local function passes_after(counter, current, previous)
    local room = counter.quota - current - counter.cost
    if room < 0 then
        return nil
    end
    if counter.way == 'fixed' or room >= previous then
        return 0
    end
    -- length - floor(room * length / previous), in steps that stay under 2 ^ 53: room and previous are under 2 ^ 32, the
    -- length is under 2 ^ 50
    local rest = counter.length % previous
    local left = room * ((counter.length - rest) / previous)
    local high, low = math.floor(room / 65536) * rest, room % 65536 * rest
    local carried = high % previous * 65536 + low
    left = left + math.floor(high / previous) * 65536 + math.floor(carried / previous)
    return counter.length - left
end

-- How long the request waits for this log, and the log when it does not.
local function spend_of_log(counter, state)
    local missing = #state.ends + counter.cost - counter.quota
    if missing > 0 then
        local ends = state.ends[missing]
        return ends and ends - now or counter.length
    end
    local next = { fresh = now + counter.length, ends = { unpack(state.ends) } }
    for _ = 1, counter.cost do
        table.insert(next.ends, next.fresh)
    end
    return 0, next
end

-- The log when what was noted at `counter.spent` was not.
local function give_back_of_log(counter, state)
    local noted, left = math.min(counter.spent, now) + counter.length, counter.cost
    local next = { fresh = 0, ends = {} }
    for _, ends in ipairs(state.ends) do
        if ends >= noted and left > 0 and noted > now then
            left = left - 1
        else
            table.insert(next.ends, ends)
            next.fresh = ends
        end
    end
    return next
end

-- How long the request waits for this counter, and the state when it does not.
local function spend(counter, state)
    if counter.way == 'log' then
        return spend_of_log(counter, state)
    end
    if counter.way == 'bucket' then
        local ahead = math.max(state.fresh - now, 0) + counter.interval * counter.cost
        if ahead > counter.fills then
            return ahead - counter.fills
        end
        return 0, { fresh = now + ahead, current = 0, previous = 0 }
    end
    local counts = window(counter, state)
    local passes = passes_after(counter, counts.current, counts.previous)
    if not passes then
        local later = passes_after(counter, 0, counts.current)
        passes = later and counter.length + later or 2 * counter.length
    end
    local wait = passes - (now - counts.start)
    if wait > 0 then
        return wait
    end
    counts.current = counts.current + counter.cost
    return 0, state_of(counter, counts)
end

-- The state when what was spent at `counter.spent` was not.
local function give_back(counter, state)
    if counter.way == 'log' then
        return give_back_of_log(counter, state)
    end
    if state.fresh <= now then
        return state
    end
    if counter.way == 'bucket' then
        local back = counter.interval * counter.cost - math.max(now - counter.spent, 0)
        return { fresh = state.fresh - math.max(back, 0), current = 0, previous = 0 }
    end
    local counts = window(counter, state)
    local since = counts.start - begin(counter, counter.spent)
    if since <= 0 then
        counts.current = math.max(counts.current - counter.cost, 0)
    elseif since == counter.length then
        counts.previous = math.max(counts.previous - counter.cost, 0)
    else
        return state
    end
    return state_of(counter, counts)
end

local each = ARGV[1] == 'spend' and 4 or 5
local asked, allowed = {}, true
for index, key in ipairs(KEYS) do
    local at = 2 + (index - 1) * each
    local counter = { key = key, way = ARGV[at], cost = tonumber(ARGV[at + 3]), spent = tonumber(ARGV[at + 4]) }
    if counter.way == 'bucket' then
        counter.interval, counter.fills = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    else
        counter.length, counter.quota = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    end
    counter.state = counter.way == 'log' and load_log(counter) or counter.way ~= 'log' and load(key)
    if not counter.state then
        return redis.error_reply('ERR a counter holds what nobody wrote there')
    end
    if counter.way ~= 'log' and counter.state.fresh > latest(counter) then
        counter.state.fresh, counter.mend = latest(counter), true
    end
    if ARGV[1] == 'spend' then
        counter.wait, counter.next = spend(counter, counter.state)
        allowed = allowed and counter.wait == 0
    else
        counter.next = give_back(counter, counter.state)
    end
    asked[index] = counter
end

local answer = { now }
for _, counter in ipairs(asked) do
    local state = allowed and counter.next or counter.state
    if allowed or counter.mend then
        store(counter.key, state)
    end
    if ARGV[1] == 'spend' then
        local told = { state.fresh, state.current, state.previous, counter.wait }
        if state.ends then
            told = { state.ends[1] or 0, #state.ends, 0, counter.wait }
        end
        for _, number in ipairs(told) do
            table.insert(answer, number)
        end
    end
end
return answer
