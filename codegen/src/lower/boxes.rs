//! Where a recursive type needs a `Box`: on members that lead straight back to the struct they are in. A list or a map
//! on the way is indirection enough.
//!
//! Types that hold each other without one in between are a strongly connected component, and a member needs a box when
//! its type is in the component of its struct. The components are found once, in one walk (Tarjan, SIAM Journal on
//! Computing 1 (2), 1972), with a list in place of recursion: a chain of types may be longer than the stack is deep.

use crate::model::{Api, Schema, Shape, Type, TypeId};

/// The component of each type.
#[derive(Debug)]
pub(crate) struct Circles(Vec<usize>);

impl Circles {
    pub(crate) fn of(api: &Api) -> Self {
        let mut walk = Walk {
            held: api.types.iter().map(|(_, definition)| held(&definition.shape)).collect(),
            order: vec![None; api.types.len()],
            low: vec![0; api.types.len()],
            open: Vec::new(),
            component: vec![None; api.types.len()],
            next: 0,
        };
        for start in 0..api.types.len() {
            walk.from(start);
        }
        Self(walk.component.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Whether a value of `schema` holds, without a list or map in between, a value of the struct `owner` that holds it.
    pub(crate) fn needs_box(&self, owner: TypeId, schema: &Schema) -> bool {
        let Type::Named(id) = schema.ty else { return false };
        self.0.get(id.position()) == self.0.get(owner.position())
    }
}

/// What a value holds in place.
fn held(shape: &Shape) -> Vec<usize> {
    let of = |schema: &Schema| match schema.ty {
        Type::Named(id) => Some(id.position()),
        _ => None,
    };
    match shape {
        Shape::Object(object) => object.members.iter().filter_map(|member| of(&member.schema)).collect(),
        Shape::Union(union) => union.variants.iter().filter_map(|variant| of(&variant.schema)).collect(),
        Shape::Alias(schema) => of(schema).into_iter().collect(),
        Shape::Words(_) | Shape::Checked(_) => Vec::new(),
    }
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

    fn components(held: Vec<Vec<usize>>) -> Vec<usize> {
        let count = held.len();
        let mut walk = Walk {
            held,
            order: vec![None; count],
            low: vec![0; count],
            open: Vec::new(),
            component: vec![None; count],
            next: 0,
        };
        (0..count).for_each(|start| walk.from(start));
        walk.component.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn what_leads_back_is_one_component() {
        let found = components(vec![vec![1], vec![2, 3], vec![0], vec![4], vec![3], vec![5], vec![0, 3]]);
        assert!(found[0] == found[1] && found[1] == found[2], "{found:?}");
        assert!(found[3] == found[4] && found[3] != found[0], "{found:?}");
        assert!(found[5] != found[0] && found[6] != found[0] && found[6] != found[3], "{found:?}");
    }

    #[test]
    fn a_long_chain_is_walked_without_recursion() {
        let length = 200_000;
        let found = components((0..length).map(|at| vec![(at + 1) % length]).collect());
        assert!(found.iter().all(|component| *component == found[0]));
    }
}
