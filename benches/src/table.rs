//! The one table that everything is printed in.
#![expect(clippy::print_stdout, reason = "the table is what this command is for")]

/// A baseline is measured twice in each round: the second against the first is what the noise is worth.
pub(crate) struct Ratios {
    base: Vec<f64>,
    same: Vec<f64>,
    ours: Vec<f64>,
    /// Ours against the first alone, as `same` is: single times stray upwards, the mean of two strays less.
    alike: Vec<f64>,
    /// What ours takes longer.
    more: Vec<f64>,
}

impl Ratios {
    pub(crate) const fn new() -> Self {
        Self { base: Vec::new(), same: Vec::new(), ours: Vec::new(), alike: Vec::new(), more: Vec::new() }
    }

    /// One round, in nanoseconds.
    pub(crate) fn round(&mut self, first: f64, second: f64, ours: f64) {
        self.more.push(ours - f64::midpoint(first, second));
        self.base.push(first);
        self.same.push(second / first);
        self.alike.push(ours / first);
        self.ours.push(ours / ((first + second) / 2.0));
    }

    /// Of one of so many that a call is made of.
    pub(crate) fn each(mut self, of: usize) -> Self {
        self.base.iter_mut().chain(&mut self.more).for_each(|time| *time /= of as f64);
        self
    }
}

pub(crate) fn title(rounds: usize) {
    println!("{rounds} rounds; CPU time; ratios within a round; medians\n");
    println!(
        "{:<64} {:>11} {:>7} {:>11} {:>9} {:>10}",
        "what", "baseline", "A/A", "palisade", "budget", "of it"
    );
}

/// `palisade` against a baseline. No budget: the row explains another.
pub(crate) fn ratio(what: &str, ratios: &mut Ratios, budget: Option<f64>) {
    let ours = median(&mut ratios.ours);
    row(what, ratios, ours, budget);
}

fn row(what: &str, ratios: &mut Ratios, ours: f64, budget: Option<f64>) {
    let budget = within(ours, budget, "x");
    let (base, same) = (median(&mut ratios.base) / 1000.0, median(&mut ratios.same));
    println!("{what:<64} {base:>8.2} us {same:>5.2} x {ours:>9.2} x {budget}");
}

/// `palisade` against the bare thing that it contains, and what it adds: at most so many microseconds.
pub(crate) fn added(what: &str, ratios: &mut Ratios, budget: f64) {
    let more = median(&mut ratios.more) / 1000.0;
    println!(
        "{what:<64} {:>8.2} us {:>5.2} x {more:>8.2} us {}",
        median(&mut ratios.base) / 1000.0,
        median(&mut ratios.same),
        within(more, Some(budget), "us"),
    );
}

/// The columns of a budget: how much it is, and how much of it is used up. No budget: neither.
fn within(value: f64, budget: Option<f64>, unit: &str) -> String {
    let Some(budget) = budget else { return format!("{:>9} {:>10}", "-", "-") };
    let used = value / budget;
    let verdict = if used > 1.0 { "over" } else { "ok" };
    format!("{:>9} {used:>5.2} {verdict:>4}", format!("{} {unit}", short(budget)))
}

/// A budget as the design writes it.
fn short(budget: f64) -> String {
    if budget < 10.0 { format!("{budget:.2}") } else { format!("{budget:.0}") }
}

/// The ratio, and between which the median of all rounds that there could be lies, in 995 of 1000 runs: there are ten such rows, and one in
/// twenty runs may fail by chance. Whether it may be 1, or as far from it as that of the A/A.
pub(crate) fn interval(what: &str, ratios: &mut Ratios) -> bool {
    let ours = median(&mut ratios.alike);
    row(what, ratios, ours, None);
    let [same, ours] = [&mut ratios.same, &mut ratios.alike].map(|values| around_median(values));
    let alike = same.0.min(1.0) <= ours.1 && ours.0 <= same.1.max(1.0);
    let verdict = if alike { "alike" } else { "not alike" };
    println!("    A/A {:.4} to {:.4}, ours {:.4} to {:.4}: {verdict}", same.0, same.1, ours.0, ours.1);
    alike
}

/// The order statistics that enclose the median: the count of values below it is binomial, and 2.81 of its deviations are
/// those 995 of 1000.
fn around_median(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let (half, away) = (values.len() as f64 / 2.0, 1.404 * (values.len() as f64).sqrt());
    let at = |place: f64| values.get(place.max(0.0) as usize).or(values.last()).copied().unwrap_or(f64::NAN);
    (at(half - away), at(half + away))
}

/// What has no baseline.
pub(crate) fn figure(what: &str, value: f64, unit: &str, budget: Option<f64>) {
    let budget = within(value, budget, unit);
    println!("{what:<64} {:>11} {:>7} {:>11} {budget}", "-", "-", format!("{value:.2} {unit}"));
}

pub(crate) fn note(what: &str) {
    println!("{what}");
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn a_budget_stands_beside_how_much_of_it_is_used_up() {
        for (value, budget, unit, columns) in [
            (0.35, Some(0.7), "s", "   0.70 s  0.50   ok"),
            (0.7, Some(0.7), "s", "   0.70 s  1.00   ok"),
            (0.71, Some(0.7), "s", "   0.70 s  1.01 over"),
            (330.0, Some(300.0), "MB", "   300 MB  1.10 over"),
            (1.0, None, "x", "        -          -"),
        ] {
            assert_eq!(within(value, budget, unit), columns);
        }
    }
}
