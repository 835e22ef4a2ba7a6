//! What both engines promise, asked of each.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod kit;
mod suite;

macro_rules! of_both_engines {
    ($($test:ident)*) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $test() {
                    crate::suite::$test(&crate::kit::Engine::embedded()).await;
                }
            )*
        }

        mod kafka {
            $(
                #[tokio::test]
                async fn $test() {
                    crate::suite::$test(&crate::kit::Engine::kafka()).await;
                }
            )*
        }
    };
}

of_both_engines! {
    what_is_published_is_there_for_who_opens_it_later
    records_with_one_key_stay_in_order_in_one_partition
    a_record_comes_as_it_was_written
    at_most_as_many_come_as_were_asked_for
    who_waits_hears_of_a_record_soon
    what_is_committed_does_not_come_again
    what_is_not_committed_comes_again
    each_group_gets_all
    one_consumer_can_read_several_topics
    two_members_share_the_partitions
    what_a_member_leaves_goes_to_the_other
    who_lost_a_partition_cannot_commit_it
    a_cancelled_wait_loses_nothing
    records_may_be_large
    records_may_be_many
    what_is_too_large_is_refused
    topics_are_made_once_and_do_not_grow
    a_wrong_name_is_refused
    a_topic_that_is_missing_is_refused
    it_answers
    what_happens_is_counted
}
