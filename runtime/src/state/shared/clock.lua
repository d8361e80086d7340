-- Before every other script: refuses who has another time than this server. ARGV[1]: theirs, in milliseconds since 1970.
local time = redis.call('TIME')
if math.abs(time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]) > 30000 then
    return redis.error_reply('CLOCK of this server and of who asks: they are more than 30 seconds apart')
end
-- Whether another server leads this one: what is here may be old, and what was revoked there is not revoked here. Any write finds
-- out, also one of nothing. Not before a write that needs room: a server without room refuses the first write of a script alone.
local function is_led()
    local answer = redis.pcall('DEL', KEYS[1] .. ' of nobody')
    return type(answer) == 'table' and string.find(answer.err, 'READONLY', 1, true) ~= nil
end
local function led()
    return redis.error_reply('READONLY another server leads this one')
end
