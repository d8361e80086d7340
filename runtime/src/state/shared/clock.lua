-- Before every other script: refuses who has another time than this server. ARGV[1]: theirs, in milliseconds since 1970.
local time = redis.call('TIME')
if math.abs(time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]) > 30000 then
    return redis.error_reply('CLOCK of this server and of who asks: they are more than 30 seconds apart')
end
