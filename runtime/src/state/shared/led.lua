-- Before what only reads: the error for which what is here is not believed, nil where it is. It may be old, and what was revoked elsewhere
-- is not revoked here. A write of nothing finds out: READONLY where another server leads, NOREPLICAS where those that follow are away
-- and one of them may lead now, NOPERM where nothing is found out. A disk that fails (MISCONF) does not make it old. Not before a
-- write that needs room: a server without room refuses the first write of a script alone.
local function doubt()
    local answer = redis.pcall('HDEL', KEYS[1], 'nobody')
    if type(answer) == 'table' and not string.find(answer.err, 'MISCONF', 1, true) then
        return answer
    end
end
