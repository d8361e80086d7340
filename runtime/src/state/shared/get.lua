-- Answers {version, value, left} of the record KEYS[1], as `swap.lua` does, and where there is none ARGV[2] bytes, which would be
-- those of one. It is a script and no transaction, which a server without room refuses though it only reads.
local refused = doubt()
if refused then
    return refused
end
local found = redis.call('HMGET', KEYS[1], 'version', 'value')
return {found[1], found[2], redis.call('PTTL', KEYS[1]), found[1] and '' or string.rep('0', ARGV[2])}
