//! Counters in Redis: one script for all of a request.
//!
//! Rules:
//! 1. a script is one step: what it decides, nobody comes between (see `decide.lua`);
//! 2. an answer takes no longer than the settings say, and nothing is asked twice within a request;
//! 3. a server that fails is left alone for a while, as that of the state is ([`Link`]).

use std::sync::OnceLock;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use redis::aio::ConnectionManager;
use redis::{Script, ScriptInvocation};

use super::places::{Act, Room, Said};
use super::{Answer, Asked, Counters, LONGEST, Spent};
use crate::authn::StoreFuture;
use crate::limit::memory::Outcome;
use crate::limit::meter::{Meter, State};
use crate::limit::name::Name;
use crate::state::shared::{COUNTERS, Link, Patience, failed};
use crate::state::{RedisServer, StateError};

/// The most that is waited for it, whatever the settings say.
pub(super) const PATIENCE: Patience = Patience {
    connect: LONGEST,
    answer: LONGEST,
    whole: LONGEST,
    without: "limits do as each says of an outage",
    writes: true,
};

pub(super) struct InRedis {
    link: Link,
    script: Script,
    places: Script,
    prefix: String,
    secret: OnceLock<[u8; 16]>,
}

impl InRedis {
    pub(super) async fn connect(
        server: &RedisServer,
        prefix: &str,
        patience: Patience,
    ) -> Result<Self, StateError> {
        let link = Link::open(server, patience, COUNTERS).await?;
        let script = Script::new(include_str!("decide.lua"));
        let places = Script::new(include_str!("places.lua"));
        Ok(Self { link, script, places, prefix: format!("{prefix}:limit:"), secret: OnceLock::new() })
    }

    /// One that all instances have: that of the first which asked for it.
    pub(super) async fn secret(&self) -> Result<[u8; 16], StateError> {
        let mut made = [0_u8; 16];
        crate::random::fill(&mut made).map_err(failed)?;
        let name = self.name_of_secret();
        let asked = async |redis: &mut ConnectionManager| {
            let () = redis::cmd("SET").arg(&name).arg(&made[..]).arg("NX").query_async(redis).await?;
            redis::cmd("GET").arg(&name).query_async(redis).await
        };
        let found: Vec<u8> = self.link.ask(asked).await?;
        let found = found.try_into().map_err(|_| failed("the secret of limits is of another length"))?;
        Ok(*self.secret.get_or_init(|| found))
    }

    fn name_of_secret(&self) -> String {
        format!("{}secret", self.prefix)
    }

    pub(super) fn key(&self, name: Name) -> String {
        format!("{}{}", self.prefix, BASE64_URL_SAFE_NO_PAD.encode(name))
    }

    fn tell<'a>(&self, call: &mut ScriptInvocation<'a>, asked: &Asked) {
        call.key(self.key(asked.name));
        match asked.meter {
            Meter::Bucket(rate) => {
                let (interval, span) = rate.times();
                call.arg("bucket").arg(interval).arg(span);
            }
            Meter::Window(window) => {
                let (length, quota, slides) = window.facts();
                call.arg(if slides { "sliding" } else { "fixed" }).arg(length).arg(quota);
            }
            Meter::Log(log) => {
                let (length, quota) = log.facts();
                call.arg("log").arg(length).arg(quota);
            }
        }
        call.arg(asked.cost);
    }
}

impl Counters for InRedis {
    fn spend<'a>(&'a self, asked: &'a [Asked], within: Duration) -> StoreFuture<'a, Answer, StateError> {
        Box::pin(async move {
            let mut call = self.script.prepare_invoke();
            call.arg("spend");
            asked.iter().for_each(|one| self.tell(&mut call, one));
            let numbers: Vec<u64> =
                self.link.ask_within(within, async |redis| call.invoke_async(redis).await).await?;
            read(&numbers, asked.len()).ok_or_else(|| failed("Redis answers what was not asked for"))
        })
    }

    fn give_back<'a>(&'a self, spent: &'a [Spent], within: Duration) -> StoreFuture<'a, u64, StateError> {
        Box::pin(async move {
            let mut call = self.script.prepare_invoke();
            call.arg("give-back");
            for one in spent {
                self.tell(&mut call, &one.asked);
                call.arg(one.then);
            }
            let [now]: [u64; 1] =
                self.link.ask_within(within, async |redis| call.invoke_async(redis).await).await?;
            Ok(now)
        })
    }

    fn places<'a>(
        &'a self,
        said: &'a [Said],
        lease: Duration,
        within: Duration,
    ) -> StoreFuture<'a, Room, StateError> {
        Box::pin(async move {
            let mut call = self.places.prepare_invoke();
            call.arg(u64::try_from(lease.as_micros()).unwrap_or(u64::MAX));
            for Said { act, of, taken } in said {
                let (act, most) = match act {
                    Act::Take(most) => ("take", *most),
                    Act::Hold => ("hold", 0),
                    Act::Leave => ("leave", 0),
                };
                call.key(self.key(taken.name)).arg(act).arg(&of[..]).arg(taken.cost).arg(most);
            }
            let numbers: Vec<u32> =
                self.link.ask_within(within, async |redis| call.invoke_async(redis).await).await?;
            let asked = said.iter().filter(|said| matches!(said.act, Act::Take(_))).count();
            match numbers.split_first() {
                Some((found @ 0..=1, taken)) if taken.len() == asked => {
                    Ok(Room { found: *found == 1, taken: taken.iter().copied().collect() })
                }
                _ => Err(failed("Redis answers what was not asked for")),
            }
        })
    }

    fn record<'a>(&'a self, name: &'a str, within: Duration) -> StoreFuture<'a, Option<Vec<u8>>, StateError> {
        let name = format!("{}{name}", self.prefix);
        Box::pin(
            self.link
                .ask_within(within, async move |redis| redis::cmd("GET").arg(name).query_async(redis).await),
        )
    }

    fn keep_record<'a>(
        &'a self,
        name: &'a str,
        value: Vec<u8>,
        keep: Duration,
        within: Duration,
    ) -> StoreFuture<'a, (), StateError> {
        let mut calls = redis::pipe();
        // what is kept is worth nothing without it, and a Redis may have forgotten it
        if let Some(secret) = self.secret.get() {
            calls.cmd("SET").arg(self.name_of_secret()).arg(&secret[..]).arg("NX").ignore();
        }
        let name = format!("{}{name}", self.prefix);
        calls.cmd("SET").arg(name).arg(value).arg("EX").arg(keep.as_secs()).ignore();
        Box::pin(self.link.ask_within(within, async move |redis| calls.query_async(redis).await))
    }
}

/// The time, and four numbers of each counter.
fn read(numbers: &[u64], count: usize) -> Option<Answer> {
    let (now, rest) = numbers.split_first()?;
    let (each, over) = rest.as_chunks::<4>();
    let half = |number: u64| u32::try_from(number).ok();
    let outcome = |&[fresh_at, current, previous, wait]: &[u64; 4]| {
        let state = State::with_pair(fresh_at, half(current)?, half(previous)?);
        Some(Outcome { state, wait })
    };
    let outcomes = each.iter().map(outcome).collect::<Option<_>>()?;
    (over.is_empty() && each.len() == count).then_some(Answer { now: *now, outcomes })
}
