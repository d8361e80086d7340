//! What docs/state.md and docs/limits.md show.
#![allow(dead_code, reason = "it is read")]

mod embedded {
    use palisade::{Denylist, State, state::StateError};

    fn denylist() -> Result<Denylist, StateError> {
        let state = State::open("/var/lib/bank/state")?;
        Ok(Denylist::kept_in(state))
    }
}

mod shared {
    use palisade::{Denylist, Settings, State, state::StateError};

    async fn parts() -> Result<(Denylist, Settings), StateError> {
        let state = State::redis("redis://state.internal:6379").await?;
        Ok((Denylist::kept_in(state.clone()), Settings::new().proofs_in(state)))
    }
}

mod limits {
    use palisade::{Settings, SharedLimits, state::StateError};

    async fn settings() -> Result<Settings, StateError> {
        let shared = SharedLimits::redis("redis://limits.internal:6379", 3).await?; // three instances
        Ok(Settings::new().limits_in(shared))
    }
}

mod kept {
    use palisade::{KeptLimits, Settings, State, state::StateError};

    async fn settings(state: State) -> Result<Settings, StateError> {
        Ok(Settings::new().limits_kept(KeptLimits::load(state).await?))
    }
}

mod readiness {
    use palisade::{Readiness, ServeError, Server, SharedLimits, State, serve};

    async fn run(server: Server, answers: &State, limits: &SharedLimits) -> Result<(), ServeError> {
        let readiness = Readiness::new().state("answers", answers).limits("limits", limits);
        readiness.listen("127.0.0.1:9000").await?;
        serve(server).listen("127.0.0.1:8080").readiness(&readiness).await
    }
}

mod application {
    use std::time::Duration;

    use palisade::{
        State,
        state::{Expected, Key, Kind, Next, StateError, Swapped},
    };

    /// Whether this caller is the one who takes the voucher.
    async fn takes(state: &State, voucher: &str) -> Result<bool, StateError> {
        let key = Key::new(Kind::Application, &[b"voucher", voucher.as_bytes()]);
        let taken = Next::Record { value: Vec::new(), keep: Duration::from_secs(24 * 3600) };
        let swapped = state.swap(key, Expected::Nothing, taken).await?;
        Ok(matches!(swapped, Swapped::Made(_)))
    }
}
