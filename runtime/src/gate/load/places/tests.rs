use super::*;

const CLASSES: [Priority; 3] = [Priority::Critical, Priority::Normal, Priority::Batch];

/// The same told slowly: who waits is a list, and each question looks at all of it.
struct Model {
    most: usize,
    most_waiting: usize,
    at_work: Vec<Priority>,
    waiting: Vec<(Priority, usize)>,
}

impl Model {
    fn may_begin(&self, class: Priority) -> bool {
        let share = match class {
            Priority::Critical => self.most * 10,
            Priority::Normal => self.most * 10 - self.most / 10 * 10,
            Priority::Batch => self.most / 2 * 10,
        };
        self.at_work.is_empty() || self.at_work.len() * 10 < share
    }

    fn first(&self) -> Option<usize> {
        let order = |&at: &usize| self.waiting[at];
        (0..self.waiting.len()).min_by_key(order)
    }

    fn last(&self) -> Option<usize> {
        let order = |&at: &usize| self.waiting[at];
        (0..self.waiting.len()).max_by_key(order)
    }

    /// Whether it waits from now on, and who has to go for it.
    fn wait(&mut self, class: Priority, who: usize) -> (bool, Option<usize>) {
        let mut gone = None;
        if self.waiting.len() == self.most_waiting {
            let Some(last) = self.last().filter(|&last| class < self.waiting[last].0) else {
                return (false, None);
            };
            gone = Some(self.waiting.remove(last).1);
        }
        self.waiting.push((class, who));
        (true, gone)
    }

    fn leave(&mut self, at: usize) -> Option<usize> {
        self.at_work.swap_remove(at);
        let first = self.first()?;
        self.may_begin(self.waiting[first].0).then(|| {
            let (class, who) = self.waiting.remove(first);
            self.at_work.push(class);
            who
        })
    }
}

/// A generator that is good enough to choose steps by, and says the same again for the same seed.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % sides
    }
}

/// A waiter that remembers that it was let go.
struct Waits<'a>(usize, &'a std::cell::RefCell<Vec<usize>>);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// Whatever comes, waits, gives up and leaves in whatever order: those begin, wait and go whom the model says, and in the end
/// nobody is there.
#[test]
fn whatever_the_order_the_first_who_may_begins() {
    for seed in 1..=300 {
        let mut roll = dice(seed);
        let (most, most_waiting) = (roll(24), roll(5));
        let mut model = Model { most, most_waiting, at_work: Vec::new(), waiting: Vec::new() };
        let gone = std::cell::RefCell::new(Vec::new());
        let mut places = Places::new(most, most_waiting);
        let mut tickets = BTreeMap::new();
        for who in 0..400 {
            let class = CLASSES[roll(3)];
            match roll(7) {
                0..=3 => {
                    let waits_before = model.waiting.clone();
                    let begins = model.may_begin(class);
                    assert_eq!(places.enter(class), begins, "{seed} {who}");
                    if begins {
                        assert!(waits_before.iter().all(|(waiting, _)| *waiting > class), "it passes one");
                        model.at_work.push(class);
                        continue;
                    }
                    let (waits, goes) = model.wait(class, who);
                    assert_eq!(places.has_room(class), waits, "{seed} {who}");
                    let ticket = places.wait(class, Waits(who, &gone));
                    assert_eq!(ticket.is_some(), waits, "{seed} {who}");
                    let expected = if waits { goes } else { Some(who) };
                    assert_eq!(gone.borrow_mut().drain(..).collect::<Vec<_>>(), Vec::from_iter(expected));
                    goes.map(|goes| tickets.remove(&goes));
                    ticket.map(|ticket| tickets.insert(who, ticket));
                }
                4 | 5 if !model.at_work.is_empty() => {
                    let begins = model.leave(roll(model.at_work.len()));
                    let given = places.leave().map(|waiter| waiter.0);
                    assert_eq!(given, begins, "{seed} {who}");
                    given.map(|given| tickets.remove(&given));
                }
                _ if !model.waiting.is_empty() => {
                    let (_, gives_up) = model.waiting.remove(roll(model.waiting.len()));
                    places.forget(tickets.remove(&gives_up).unwrap());
                }
                _ => {}
            }
            gone.borrow_mut().clear();
            assert_eq!(places.count(), (model.at_work.len(), model.waiting.len()), "{seed} {who}");
            assert!(places.count().1 <= most_waiting);
        }
        while !model.at_work.is_empty() {
            model.leave(0);
            places.leave();
        }
        assert_eq!(places.count(), (0, 0), "{seed}: who waits has a place when all others have left");
    }
}

#[test]
fn one_that_matters_more_takes_the_turn_of_the_last_that_matters_least() {
    let mut places = Places::new(1, 2);
    assert!(places.enter(Priority::Normal));
    for (class, who) in [(Priority::Batch, 1), (Priority::Batch, 2)] {
        assert!(places.wait(class, who).is_some());
    }
    assert!(places.wait(Priority::Batch, 3).is_none(), "as many wait as may");
    assert!(places.has_room(Priority::Critical) && !places.has_room(Priority::Batch));
    assert!(places.wait(Priority::Critical, 4).is_some());
    assert!(places.wait(Priority::Normal, 5).is_some());
    assert!(places.wait(Priority::Normal, 6).is_none(), "none is left that matters less");
    assert_eq!([places.leave(), places.leave(), places.leave()], [Some(4), Some(5), None]);
    assert_eq!(places.count(), (0, 0));
}
