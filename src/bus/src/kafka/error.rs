//! What librdkafka's errors mean.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::BusError;

pub(super) fn meaning(error: &KafkaError) -> BusError {
    let text = error.to_string();
    match error {
        KafkaError::ClientConfig(..)
        | KafkaError::ClientCreation(_)
        | KafkaError::Nul(_)
        | KafkaError::Subscription(_) => BusError::Refused(text),
        _ => match error.rdkafka_error_code() {
            Some(code) if is_final(code) => BusError::Refused(text),
            _ => BusError::Away(text),
        },
    }
}

/// Whether it will be the same however often it is tried.
pub(super) const fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTopic
            | Code::InvalidPartitions
            | Code::InvalidReplicationFactor
            | Code::InvalidConfig
            | Code::PolicyViolation
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::UnknownTopic
    )
}

/// Whether the brokers do not know the producer any more: it was out of touch for too long.
pub(super) fn is_of_the_producer(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            Code::ProducerFenced
                | Code::InvalidProducerEpoch
                | Code::UnknownProducerId
                | Code::OutOfOrderSequenceNumber
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_wrong_is_refused() {
        let of = |code| meaning(&KafkaError::MessageProduction(code));
        assert!(!of(Code::MessageSizeTooLarge).is_passing());
        assert!(!of(Code::TopicAuthorizationFailed).is_passing());
        assert!(of(Code::MessageTimedOut).is_passing());
        assert!(of(Code::AllBrokersDown).is_passing());
        assert!(of(Code::IllegalGeneration).is_passing());
        assert!(meaning(&KafkaError::Canceled).is_passing());
    }
}
