//! Rise and fall of an active check: HAProxy's one integer.
//!
//! ```text
//!   0 ............. rise-1 | rise ................ rise+fall-1
//!   fully down      down   | up                    fully up
//! ```
//!
//! A success adds one, and on reaching `rise` jumps to the top; a failure takes one away, and on falling below
//! `rise` drops to 0. So it takes `rise` successes or `fall` failures in a row.

use crate::config::StartState;

/// The state of one server's check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    health: u32,
    rise: u32,
    fall: u32,
}

/// Of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    Up,
    Down,
}

/// Decides the interval to the next check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    SteadyUp,
    /// Going up or going down.
    InTransition,
    SteadyDown,
}

impl Active {
    /// `rise` and `fall` below 1 count as 1.
    pub fn new(rise: u32, fall: u32, start: StartState) -> Self {
        let (rise, fall) = (rise.max(1), fall.max(1));
        let health = match start {
            StartState::FullyUp => rise + fall - 1,
            StartState::Up => rise,
            StartState::Down => rise - 1,
            StartState::FullyDown => 0,
        };
        Self { health, rise, fall }
    }

    pub fn is_up(&self) -> bool {
        self.health >= self.rise
    }

    pub fn phase(&self) -> Phase {
        if self.health == self.top() {
            Phase::SteadyUp
        } else if self.health == 0 {
            Phase::SteadyDown
        } else {
            Phase::InTransition
        }
    }

    #[must_use]
    pub fn observe(&mut self, outcome: Outcome) -> Option<Transition> {
        let was_up = self.is_up();
        match outcome {
            Outcome::Success if self.health + 1 >= self.rise => self.health = self.top(),
            Outcome::Success => self.health += 1,
            Outcome::Failure if self.health > self.rise => self.health -= 1,
            Outcome::Failure => self.health = 0,
        }
        match (was_up, self.is_up()) {
            (false, true) => Some(Transition::Up),
            (true, false) => Some(Transition::Down),
            (true, true) | (false, false) => None,
        }
    }

    /// New thresholds. What is up stays up and what is down stays down, steady stays steady, and successes or
    /// failures that were counted stay counted as far as there is room.
    pub fn set_thresholds(&mut self, rise: u32, fall: u32) {
        let (rise, fall) = (rise.max(1), fall.max(1));
        let health = if self.is_up() {
            let failures = self.top() - self.health;
            rise + (fall - 1).saturating_sub(failures)
        } else {
            self.health.min(rise - 1)
        };
        *self = Self { health, rise, fall };
    }

    fn top(&self) -> u32 {
        self.rise + self.fall - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state under every outcome.
    fn matrix(rise: u32, fall: u32) -> String {
        let mut lines = Vec::new();
        for health in 0..rise + fall {
            for outcome in [Outcome::Success, Outcome::Failure] {
                let before = Active { health, rise, fall };
                let mut after = before;
                let transition = after.observe(outcome);
                let transition = transition.map_or_else(String::new, |t| format!(" => {t:?}"));
                lines.push(format!(
                    "{health} {:?} + {outcome:?} -> {} {:?}{transition}",
                    before.phase(),
                    after.health,
                    after.phase()
                ));
            }
        }
        lines.join("\n")
    }

    #[test]
    fn the_whole_matrix_of_rise_2_fall_3() {
        insta::assert_snapshot!(matrix(2, 3));
    }

    #[test]
    fn the_whole_matrix_of_rise_3_fall_1() {
        insta::assert_snapshot!(matrix(3, 1));
    }

    #[test]
    fn the_whole_matrix_of_rise_1_fall_1() {
        insta::assert_snapshot!(matrix(1, 1));
    }

    /// How many outcomes of one kind it takes from a start state to a transition.
    fn outcomes_until_transition(start: StartState, outcome: Outcome) -> usize {
        let mut active = Active::new(2, 3, start);
        (1..10).find(|_| active.observe(outcome).is_some()).unwrap_or(0)
    }

    #[test]
    fn start_states() {
        let table = [
            (StartState::FullyUp, true, 3),
            (StartState::Up, true, 1),
            (StartState::Down, false, 1),
            (StartState::FullyDown, false, 2),
        ];
        for (start, up, needed) in table {
            let outcome = if up { Outcome::Failure } else { Outcome::Success };
            assert_eq!(Active::new(2, 3, start).is_up(), up, "{start:?}");
            assert_eq!(outcomes_until_transition(start, outcome), needed, "{start:?}");
        }
    }

    #[test]
    fn one_success_wipes_earlier_failures() {
        let mut active = Active::new(2, 3, StartState::FullyUp);
        for outcome in
            [Outcome::Failure, Outcome::Failure, Outcome::Success, Outcome::Failure, Outcome::Failure]
        {
            assert_eq!(active.observe(outcome), None);
        }
        assert_eq!(active.observe(Outcome::Failure), Some(Transition::Down));
    }

    #[test]
    fn new_thresholds_keep_up_and_down() {
        for (rise, fall) in [(1, 1), (2, 3), (5, 2), (2, 7)] {
            for health in 0..5 {
                let before = Active { health, rise: 2, fall: 3 };
                let mut after = before;
                after.set_thresholds(rise, fall);
                assert_eq!(after.is_up(), before.is_up(), "{before:?} to {rise}/{fall}");
                assert!(after.health <= after.top(), "{before:?} to {rise}/{fall}");
                if before.phase() != Phase::InTransition {
                    assert_eq!(after.phase(), before.phase(), "{before:?} to {rise}/{fall}");
                }
            }
        }
    }

    #[test]
    fn new_thresholds_keep_what_was_counted() {
        let mut active = Active::new(2, 3, StartState::FullyUp);
        assert_eq!(active.observe(Outcome::Failure), None);
        active.set_thresholds(2, 2);
        assert_eq!(active.observe(Outcome::Failure), Some(Transition::Down));
    }
}
