//! A server whose clock is not that of who asks, which is shown by a clock of ours.

use super::*;
use crate::limit::shared::server::Server;
use crate::state::{Kind, State};

const HOUR: Duration = Duration::from_secs(3600);

async fn state(server: &Server, clock: &Clock) -> State {
    State::new(Shared::connect(&server.url().into(), "test", clock.clone()).await.unwrap())
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn next() -> Next {
    Next::Record { value: b"1".to_vec(), keep: HOUR }
}

#[tokio::test]
async fn who_has_another_time_than_the_server_is_refused_everything_until_they_agree() {
    let server = Server::start("--appendonly no").await;
    let key = Key::new(Kind::Application, &[b"a"]);
    let Swapped::Made(version) =
        state(&server, &Clock::system()).await.swap(key, Expected::Nothing, next()).await.unwrap()
    else {
        panic!("there was nothing")
    };
    for apart in [-3600, -40, 40, 3600] {
        let clock = Clock::fixed(now().saturating_add_signed(apart));
        let state = state(&server, &clock).await;
        assert!(matches!(state.get(key).await, Err(StateError::Clock)), "{apart}");
        for next in [next(), Next::Nothing] {
            let swapped = state.swap(key, Expected::Version(version), next).await;
            assert!(matches!(swapped, Err(StateError::Clock)), "{apart}");
        }
        if apart == -3600 {
            clock.set(now());
            let found = state.get(key).await.unwrap().unwrap();
            assert_eq!(
                (found.value.as_slice(), found.version),
                (b"1".as_slice(), version),
                "nothing was changed"
            );
        }
    }
    for apart in [-20, 20] {
        let state = state(&server, &Clock::fixed(now().saturating_add_signed(apart))).await;
        assert!(state.get(key).await.unwrap().is_some(), "{apart}");
    }
}
