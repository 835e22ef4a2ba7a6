//! The account's connections, as the account sees them: which is up, and how many places its window has.

use crate::connection::ConnectionId;

/// All connections of one account.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
    /// Where the last part went, so that equally busy ones take turns.
    last: usize,
}

/// A place in the window of a connection, as long as this login of it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub connection: ConnectionId,
    /// Which login of the connection.
    pub login: u32,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    up: bool,
    /// Which login it is up in.
    login: u32,
    /// Whether parts may be submitted on it (a login to receive only takes none).
    submits: bool,
    window: u32,
    used: u32,
}

impl Lines {
    /// One connection more; it is down. Places in its window, or `None` if it takes no submits.
    pub fn add(&mut self, window: Option<u16>) -> ConnectionId {
        let line = Line {
            up: false,
            login: 0,
            submits: window.is_some(),
            window: window.map_or(0, u32::from),
            used: 0,
        };
        self.lines.push(line);
        u32::try_from(self.lines.len() - 1).unwrap_or(u32::MAX)
    }

    /// It has logged in for the `login`th time: its whole window is free.
    pub fn up(&mut self, connection: ConnectionId, login: u32) {
        if let Some(line) = self.line(connection) {
            (line.up, line.used, line.login) = (true, 0, login);
        }
    }

    pub fn down(&mut self, connection: ConnectionId) {
        if let Some(line) = self.line(connection) {
            (line.up, line.used) = (false, 0);
        }
    }

    /// A place in the least busy window; equally busy ones take turns. One that answers slowly keeps its window full
    /// and so gets less; the others are not held up.
    pub fn take(&mut self) -> Option<Place> {
        let count = self.lines.len();
        let position = (1..=count)
            .map(|step| (self.last + step) % count)
            .filter(|&position| self.lines[position].has_place())
            .min_by_key(|&position| self.lines[position].used)?;
        self.lines[position].used += 1;
        self.last = position;
        let login = self.lines[position].login;
        Some(Place { connection: u32::try_from(position).ok()?, login })
    }

    /// The place of a part that was answered, or given up.
    pub fn give_back(&mut self, place: Place) {
        if self.holds(place)
            && let Some(line) = self.line(place.connection)
        {
            line.used = line.used.saturating_sub(1);
        }
    }

    /// Whether the login in which the place was taken still lasts.
    #[must_use]
    pub fn holds(&self, place: Place) -> bool {
        self.current(place.connection) == Some(place)
    }

    /// A place in the login that lasts now: of a part that the connection speaks of.
    #[must_use]
    pub fn current(&self, connection: ConnectionId) -> Option<Place> {
        let line = self.lines.get(usize::try_from(connection).ok()?).filter(|line| line.up)?;
        Some(Place { connection, login: line.login })
    }

    #[must_use]
    pub fn has_place(&self) -> bool {
        self.lines.iter().any(Line::has_place)
    }

    /// Whether parts can be submitted at all now.
    #[must_use]
    pub fn any_up(&self) -> bool {
        self.lines.iter().any(|line| line.up && line.submits)
    }

    /// Each one, and whether it is up.
    pub fn each(&self) -> impl Iterator<Item = (ConnectionId, bool)> {
        (0..).zip(self.lines.iter().map(|line| line.up))
    }

    /// Whether each of them is up.
    #[must_use]
    pub fn all_up(&self) -> bool {
        self.lines.iter().all(|line| line.up)
    }

    /// Parts under way, on all of them.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.lines.iter().map(|line| line.used).sum()
    }

    fn line(&mut self, connection: ConnectionId) -> Option<&mut Line> {
        self.lines.get_mut(usize::try_from(connection).ok()?)
    }
}

impl Line {
    fn has_place(&self) -> bool {
        self.up && self.submits && self.used < self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(windows: &[u16]) -> Lines {
        let mut lines = Lines::default();
        for &window in windows {
            let id = lines.add(Some(window));
            lines.up(id, 1);
        }
        lines
    }

    fn connections(lines: &mut Lines) -> Vec<ConnectionId> {
        std::iter::from_fn(|| lines.take()).map(|place| place.connection).collect()
    }

    #[test]
    fn connections_take_turns_and_a_slow_one_holds_nobody_up() {
        let mut lines = lines(&[2, 2, 2]);
        let mut taken = connections(&mut lines);
        taken.sort_unstable();
        assert_eq!(taken, [0, 0, 1, 1, 2, 2]);
        // 0 never answers; the others do
        for round in 0..10 {
            let quick = lines.current(1 + round % 2).unwrap();
            lines.give_back(quick);
            assert_eq!(lines.take(), Some(quick));
        }
        assert_eq!(lines.under_way(), 6);
    }

    #[test]
    fn one_that_is_down_or_only_receives_takes_nothing() {
        let mut lines = Lines::default();
        let receiver = lines.add(None);
        let sender = lines.add(Some(1));
        lines.up(receiver, 1);
        assert_eq!((lines.take(), lines.any_up(), lines.all_up()), (None, false, false));
        lines.up(sender, 1);
        assert!(lines.all_up());
        assert_eq!(connections(&mut lines), [sender]);
    }

    #[test]
    fn a_new_login_has_its_window_empty_and_knows_no_older_place() {
        let mut lines = lines(&[1]);
        let old = lines.take().unwrap();
        lines.down(0);
        assert!(!lines.holds(old));
        lines.up(0, 2);
        let new = lines.take().unwrap();
        lines.give_back(old);
        assert_eq!(lines.take(), None, "the old place is not the new one's");
        lines.give_back(new);
        assert!(lines.take().is_some());
    }

    #[test]
    fn a_place_given_back_twice_or_of_nobody_changes_nothing_else() {
        let mut lines = lines(&[1]);
        let place = lines.take().unwrap();
        lines.give_back(place);
        lines.give_back(place);
        lines.give_back(Place { connection: 7, login: 1 });
        assert_eq!(connections(&mut lines), [0]);
    }
}
