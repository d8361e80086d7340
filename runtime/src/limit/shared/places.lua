-- Places under limits on what is under way: taken under all of these counters, or under none.
--
-- A counter is a sorted set: the names of its places, and until when each is held. Who holds one says so again while they do.
-- A place of which nobody does, because its process died, is free when that time has come.
--
-- KEYS: the counters. ARGV: for how long a place is held; then of each counter
--   what is done: 'leave', 'hold' or 'take';
--   the name of the request, and how many places it takes;
--   how many there are, to take some.
-- Answers 1, or 0 when there was no room; then of each counter that places are taken of how many are.
--
-- Times are microseconds since 1970, whole numbers that a double holds exactly.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lease = tonumber(ARGV[1])
local latest = string.format('%.0f', now + lease)

local function taken(key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
    -- held longer than any is: since before the clock was set back
    for _, place in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. latest, '+inf')) do
        redis.call('ZADD', key, latest, place)
    end
    return redis.call('ZCARD', key)
end

local function hold(counter)
    for number = 1, counter.cost do
        redis.call('ZADD', counter.key, latest, counter.name .. number)
    end
    redis.call('PEXPIRE', counter.key, string.format('%.0f', math.ceil(lease / 1000) + 1000))
end

local function leave(counter)
    for number = 1, counter.cost do
        redis.call('ZREM', counter.key, counter.name .. number)
    end
end

-- A server without memory lets a script write that has written before: so what takes places begins as one that needs some,
-- and is refused, and what is under way is still held and left.
local takes = false
for index = 2, #ARGV, 4 do
    takes = takes or ARGV[index] == 'take'
end
if takes then
    redis.call('ZADD', KEYS[1], 'XX', 0, '')
else
    redis.call('ZREM', KEYS[1], '')
end

local wanted, room = {}, true
for index, key in ipairs(KEYS) do
    local at = 2 + (index - 1) * 4
    local counter = { key = key, name = ARGV[at + 1], cost = tonumber(ARGV[at + 2]) }
    if ARGV[at] == 'leave' then
        leave(counter)
    elseif ARGV[at] == 'hold' then
        hold(counter)
    else
        counter.taken = taken(key)
        room = room and counter.taken + counter.cost <= tonumber(ARGV[at + 3])
        table.insert(wanted, counter)
    end
end

local answer = { room and 1 or 0 }
for _, counter in ipairs(wanted) do
    if room then
        hold(counter)
        counter.taken = counter.taken + counter.cost
    end
    table.insert(answer, counter.taken)
end
return answer
