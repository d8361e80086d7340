-- Puts another record in the place of what is there, when that is what is expected.
-- KEYS: the record, a hash of `version` and `value`; the last version of all.
-- ARGV: the time, see `clock.lua`; the version that is expected ('' for no record), the value, for how many milliseconds (-1 for no
-- record).
-- Answers {1, {version, nil, 0}} when it was made, {0, {version, value, left}} of what is there when not, with the milliseconds for
-- which it is still kept; nil for what is not there.
local found = redis.call('HMGET', KEYS[1], 'version', 'value')
if (found[1] or '') ~= ARGV[2] then
    local refused = doubt()
    if refused then
        return refused
    end
    return {0, {found[1], found[2], redis.call('PTTL', KEYS[1])}}
end
if ARGV[4] == '-1' then
    redis.call('DEL', KEYS[1])
    return {1, {found[1] or '0', false, 0}}
end
-- Also greater than those of a server that lost its memory: microseconds since 1970 are exact in a double until 2255.
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local next = math.max(last + 1, time[1] * 1000000 + time[2])
if next >= 2 ^ 53 then
    return redis.error_reply('ERR no version is left')
end
local version = string.format('%.0f', next)
-- first, for a server without room refuses the first write of a script and no later one
redis.call('SET', KEYS[2], version)
if ARGV[4] == '0' then
    redis.call('DEL', KEYS[1])
else
    redis.call('HSET', KEYS[1], 'version', version, 'value', ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {1, {version, false, 0}}
