//! A consumer group in a topic's file: who is there, who reads which partition, what is done.
//!
//! A member says at intervals that it is there. In the same transaction it lets go of partitions that others should
//! have, takes free ones up to its share, and frees those of members that were not seen. So no member decides for
//! another, and none has to be asked.

use rusqlite::{Connection, params};

/// A member that was not seen for this long is gone, in milliseconds.
const GONE: i64 = 2000;

/// A member of a group.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) group: String,
    /// Unlike any other's.
    pub(super) member: String,
}

/// A partition that a member reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) partition: u32,
    pub(super) epoch: i64,
    /// The offset of the first record that is not done.
    pub(super) next: i64,
}

/// What a member has and should have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) leases: Vec<Lease>,
    pub(super) share: usize,
}

/// What is done: all records of a partition below an offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) partition: u32,
    pub(super) epoch: i64,
    pub(super) next: i64,
}

/// `now`: milliseconds of the host's monotonic clock.
pub(super) fn tick(
    connection: &Connection,
    identity: &Identity,
    partitions: u32,
    now: i64,
    releases: &[u32],
) -> rusqlite::Result<Standing> {
    let Identity { group, member } = identity;
    for partition in releases {
        let mut release = connection.prepare_cached(
            "UPDATE progress SET member = NULL WHERE grp = ?1 AND partition = ?2 AND member = ?3",
        )?;
        release.execute(params![group, partition, member])?;
    }
    let mut seen =
        connection.prepare_cached("INSERT OR REPLACE INTO member (grp, id, seen) VALUES (?1, ?2, ?3)")?;
    seen.execute(params![group, member, now])?;
    bury(connection, group, now)?;
    let mut known = connection.prepare_cached(
        "INSERT OR IGNORE INTO progress (grp, partition, next, member, epoch) VALUES (?1, ?2, 0, NULL, 0)",
    )?;
    for partition in 0..partitions {
        known.execute(params![group, partition])?;
    }
    let share = share(partitions as usize, &members(connection, group)?, member);
    let held = leases(connection, identity)?.len();
    let wanted = i64::try_from(share.saturating_sub(held)).unwrap_or(i64::MAX);
    let mut take = connection.prepare_cached(
        "UPDATE progress SET member = ?2, epoch = epoch + 1 WHERE grp = ?1 AND partition IN \
         (SELECT partition FROM progress WHERE grp = ?1 AND member IS NULL ORDER BY partition LIMIT ?3)",
    )?;
    take.execute(params![group, member, wanted])?;
    Ok(Standing { leases: leases(connection, identity)?, share })
}

/// The marks that are not the member's to make: those partitions went to another.
pub(super) fn commit(
    connection: &Connection,
    identity: &Identity,
    marks: &[Mark],
) -> rusqlite::Result<Vec<u32>> {
    let mut update = connection.prepare_cached(
        "UPDATE progress SET next = ?5 WHERE grp = ?1 AND partition = ?2 AND member = ?3 AND epoch = ?4",
    )?;
    let mut lost = Vec::new();
    for mark in marks {
        let ours = update.execute(params![
            identity.group,
            mark.partition,
            identity.member,
            mark.epoch,
            mark.next
        ])?;
        if ours == 0 {
            lost.push(mark.partition);
        }
    }
    Ok(lost)
}

pub(super) fn leave(connection: &Connection, identity: &Identity) -> rusqlite::Result<()> {
    let Identity { group, member } = identity;
    connection.execute("DELETE FROM member WHERE grp = ?1 AND id = ?2", [group, member])?;
    free(connection, group)
}

/// Removes members that were not seen in time. One that was seen in the future was so before the host's last start.
fn bury(connection: &Connection, group: &str, now: i64) -> rusqlite::Result<()> {
    let mut delete =
        connection.prepare_cached("DELETE FROM member WHERE grp = ?1 AND (seen <= ?2 OR seen > ?3)")?;
    delete.execute(params![group, now - GONE, now])?;
    free(connection, group)
}

fn free(connection: &Connection, group: &str) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE progress SET member = NULL WHERE grp = ?1 AND member IS NOT NULL \
         AND member NOT IN (SELECT id FROM member WHERE grp = ?1)",
    )?;
    update.execute([group]).map(|_| ())
}

fn members(connection: &Connection, group: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare_cached("SELECT id FROM member WHERE grp = ?1 ORDER BY id")?;
    select.query_map([group], |row| row.get(0))?.collect()
}

fn leases(connection: &Connection, identity: &Identity) -> rusqlite::Result<Vec<Lease>> {
    let mut select = connection.prepare_cached(
        "SELECT partition, epoch, next FROM progress WHERE grp = ?1 AND member = ?2 ORDER BY partition",
    )?;
    let rows = select.query_map([&identity.group, &identity.member], |row| {
        Ok(Lease { partition: row.get(0)?, epoch: row.get(1)?, next: row.get(2)? })
    })?;
    rows.collect()
}

/// How many partitions a member should have: all as many, the first ones one more.
fn share(partitions: usize, members: &[String], member: &str) -> usize {
    let count = members.len().max(1);
    let rank = members.iter().position(|other| other == member).unwrap_or(count);
    partitions / count + usize::from(rank < partitions % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("001.sql")).unwrap();
        connection
    }

    fn member(name: &str) -> Identity {
        Identity { group: "group".to_owned(), member: name.to_owned() }
    }

    fn held(standing: &Standing) -> Vec<u32> {
        standing.leases.iter().map(|lease| lease.partition).collect()
    }

    #[test]
    fn shares_add_up_and_differ_by_one() {
        for partitions in 0..20 {
            for count in 1..8 {
                let members: Vec<String> = (0..count).map(|number| number.to_string()).collect();
                let shares: Vec<usize> =
                    members.iter().map(|member| share(partitions, &members, member)).collect();
                assert_eq!(shares.iter().sum::<usize>(), partitions);
                assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn one_member_has_all_and_gives_half_of_it_to_the_second() {
        let (connection, one, two) = (topic(), member("1"), member("2"));
        assert_eq!(held(&tick(&connection, &one, 4, 0, &[]).unwrap()), [0, 1, 2, 3]);
        let second = tick(&connection, &two, 4, 100, &[]).unwrap();
        assert_eq!((held(&second), second.share), (vec![], 2));
        let first = tick(&connection, &one, 4, 200, &[]).unwrap();
        assert_eq!((held(&first), first.share), (vec![0, 1, 2, 3], 2));
        assert_eq!(held(&tick(&connection, &one, 4, 300, &[2, 3]).unwrap()), [0, 1]);
        assert_eq!(held(&tick(&connection, &two, 4, 400, &[]).unwrap()), [2, 3]);
    }

    #[test]
    fn what_a_silent_member_had_goes_to_the_others_and_it_cannot_commit() {
        let (connection, one, two) = (topic(), member("1"), member("2"));
        let lease = tick(&connection, &one, 1, 0, &[]).unwrap().leases[0];
        let mark = Mark { partition: 0, epoch: lease.epoch, next: 7 };
        assert_eq!(commit(&connection, &one, &[mark]).unwrap(), [0; 0]);
        assert_eq!(held(&tick(&connection, &two, 1, GONE - 1, &[]).unwrap()), [0; 0]);
        let taken = tick(&connection, &two, 1, GONE, &[]).unwrap().leases;
        assert_eq!(taken, [Lease { partition: 0, epoch: lease.epoch + 1, next: 7 }]);
        assert_eq!(commit(&connection, &one, &[mark]).unwrap(), [0]);
    }

    #[test]
    fn who_lost_a_partition_and_got_it_back_cannot_commit_what_he_had_before() {
        let (connection, one, two) = (topic(), member("1"), member("2"));
        let before = tick(&connection, &one, 1, 0, &[]).unwrap().leases[0];
        tick(&connection, &two, 1, GONE, &[]).unwrap();
        leave(&connection, &two).unwrap();
        let after = tick(&connection, &one, 1, GONE + 1, &[]).unwrap().leases[0];
        assert!(after.epoch > before.epoch);
        let mark = Mark { partition: 0, epoch: before.epoch, next: 7 };
        assert_eq!(commit(&connection, &one, &[mark]).unwrap(), [0]);
    }

    #[test]
    fn after_a_start_of_the_host_the_members_of_before_are_gone() {
        let (connection, one, two) = (topic(), member("1"), member("2"));
        tick(&connection, &one, 1, 1_000_000, &[]).unwrap();
        assert_eq!(held(&tick(&connection, &two, 1, 5, &[]).unwrap()), [0]);
    }
}
