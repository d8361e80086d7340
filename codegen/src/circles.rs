//! What leads back to itself: the strongly connected components of a graph, found once, in one walk (Tarjan, SIAM Journal
//! on Computing 1 (2), 1972), with a list in place of recursion: a chain of types may be longer than the stack is deep.

/// The circle that each one is in, by a number that all of it share. `held` says where each leads, by position. What leads
/// nowhere back is alone in its circle.
pub(crate) fn circles(held: Vec<Vec<usize>>) -> Vec<usize> {
    let count = held.len();
    let mut walk = Walk {
        held,
        order: vec![None; count],
        low: vec![0; count],
        open: Vec::new(),
        component: vec![None; count],
        next: 0,
    };
    for start in 0..count {
        walk.from(start);
    }
    walk.component.into_iter().map(Option::unwrap_or_default).collect()
}

/// Whether each one leads back to itself.
pub(crate) fn leads_back(held: Vec<Vec<usize>>) -> Vec<bool> {
    let itself: Vec<bool> = held.iter().enumerate().map(|(at, held)| held.contains(&at)).collect();
    let circles = circles(held);
    let mut sizes = vec![0_usize; circles.len()];
    for circle in &circles {
        sizes.get_mut(*circle).into_iter().for_each(|size| *size += 1);
    }
    let many = |circle: &usize| sizes.get(*circle).is_some_and(|size| *size > 1);
    circles.iter().zip(itself).map(|(circle, itself)| itself || many(circle)).collect()
}

struct Walk {
    held: Vec<Vec<usize>>,
    /// When each type was first seen.
    order: Vec<Option<usize>>,
    /// The earliest that each one leads back to.
    low: Vec<usize>,
    /// What was seen and has no component yet.
    open: Vec<usize>,
    component: Vec<Option<usize>>,
    next: usize,
}

impl Walk {
    fn from(&mut self, start: usize) {
        if self.order.get(start) != Some(&None) {
            return;
        }
        // the way from `start`, with how many steps from each place were taken
        let mut way = vec![(start, 0)];
        self.enter(start);
        while let Some((at, taken)) = way.pop() {
            let step = self.held.get(at).and_then(|held| held.get(taken)).copied();
            let Some(to) = step else {
                self.leave(at);
                if let Some((before, _)) = way.last() {
                    self.lower(*before, self.low(at));
                }
                continue;
            };
            way.push((at, taken + 1));
            match (self.order.get(to).copied().flatten(), self.component.get(to).copied().flatten()) {
                (None, _) => {
                    self.enter(to);
                    way.push((to, 0));
                }
                (Some(order), None) => self.lower(at, order),
                (Some(_), Some(_)) => {}
            }
        }
    }

    fn enter(&mut self, at: usize) {
        set(&mut self.order, at, Some(self.next));
        set(&mut self.low, at, self.next);
        self.next += 1;
        self.open.push(at);
    }

    /// All that was seen since `at`, if it leads back to nothing earlier, is one component.
    fn leave(&mut self, at: usize) {
        if self.order.get(at).copied().flatten() != Some(self.low(at)) {
            return;
        }
        while let Some(member) = self.open.pop() {
            set(&mut self.component, member, Some(at));
            if member == at {
                break;
            }
        }
    }

    fn low(&self, at: usize) -> usize {
        self.low.get(at).copied().unwrap_or_default()
    }

    fn lower(&mut self, at: usize, to: usize) {
        let lowest = self.low(at).min(to);
        set(&mut self.low, at, lowest);
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_back_is_one_component() {
        let found = circles(vec![vec![1], vec![2, 3], vec![0], vec![4], vec![3], vec![5], vec![0, 3]]);
        assert!(found[0] == found[1] && found[1] == found[2], "{found:?}");
        assert!(found[3] == found[4] && found[3] != found[0], "{found:?}");
        assert!(found[5] != found[0] && found[6] != found[0] && found[6] != found[3], "{found:?}");
    }

    #[test]
    fn whoever_is_alone_leads_back_only_to_itself() {
        let found = leads_back(vec![vec![1], vec![2], vec![1], vec![3], vec![0, 4], vec![0]]);
        assert_eq!(found, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_long_chain_is_walked_without_recursion() {
        let length = 200_000;
        let found = circles((0..length).map(|at| vec![(at + 1) % length]).collect());
        assert!(found.iter().all(|component| *component == found[0]));
    }
}
