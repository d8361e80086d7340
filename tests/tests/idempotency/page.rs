//! What docs/idempotency.md shows.
#![allow(dead_code, reason = "it is read")]

mod parts {
    use palisade::{AnswerKeys, KeptAnswers, State};

    fn answers() -> Result<KeptAnswers, Box<dyn std::error::Error>> {
        let state = State::open("/var/lib/bank/state")?;
        let keys = AnswerKeys::from_env("ANSWER_KEYS")?;
        Ok(KeptAnswers::new(state, keys).calls_per_day(50_000))
    }
}

mod recovery {
    use palisade::{KeptAnswers, idempotency::Recovered};

    /// The processor of payments knows which calls reached it.
    fn ask_the_processor(answers: KeptAnswers, processor: Processor) -> KeptAnswers {
        answers.recover(move |call| {
            let processor = processor.clone();
            async move {
                match processor.knows(&call.key).await? {
                    true => Ok(Recovered::Unknown),
                    false => Ok(Recovered::NotDone),
                }
            }
        })
    }

    #[derive(Clone)]
    struct Processor;

    impl Processor {
        async fn knows(&self, _: &str) -> Result<bool, palisade::Problem> {
            Ok(false)
        }
    }
}
