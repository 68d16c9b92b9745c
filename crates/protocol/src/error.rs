//! Kafka's error codes: number, name, whether trying again can help, and a short text.
//! Every response carries one; the broker's handlers and the client speak of errors in these alone.

use std::fmt;

/// What a caller should do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    /// The same request may succeed later, perhaps after refreshing metadata.
    Retriable,
    /// The same request fails again.
    Final,
}

// One row per code, so that no table can drift from another. The numbers are Kafka's: never change
// one, never give one a new meaning. Rows are dense and ascending, which `from_code` relies on.
macro_rules! error_codes {
    ($($code:literal, $variant:ident, $name:literal, $advice:ident, $text:literal;)*) => {
        /// An error code of the Kafka protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $text] $variant = $code,)*
        }

        const ROWS: &[(ErrorCode, &str, Advice, &str)] = &[
            $((ErrorCode::$variant, $name, Advice::$advice, $text),)*
        ];
    };
}

error_codes! {
    -1, UnknownServerError, "UNKNOWN_SERVER_ERROR", Final, "unexpected failure inside the broker; its log says more";
    0, None, "NONE", Final, "success";
    1, OffsetOutOfRange, "OFFSET_OUT_OF_RANGE", Final, "the offset asked for lies outside the partition's log";
    2, CorruptMessage, "CORRUPT_MESSAGE", Retriable, "the batch fails its checksum, exceeds the valid size or is otherwise damaged";
    3, UnknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PARTITION", Retriable, "this broker hosts no such topic or partition";
    4, InvalidFetchSize, "INVALID_FETCH_SIZE", Final, "the fetch size is not valid";
    5, LeaderNotAvailable, "LEADER_NOT_AVAILABLE", Retriable, "the partition has no leader at the moment";
    6, NotLeaderOrFollower, "NOT_LEADER_OR_FOLLOWER", Retriable, "this broker is not the leader, or not a replica, of the partition";
    7, RequestTimedOut, "REQUEST_TIMED_OUT", Retriable, "the request was not completed within its timeout";
    8, BrokerNotAvailable, "BROKER_NOT_AVAILABLE", Final, "the broker is not available";
    9, ReplicaNotAvailable, "REPLICA_NOT_AVAILABLE", Retriable, "no replica of the partition is available here";
    10, MessageTooLarge, "MESSAGE_TOO_LARGE", Final, "the batch is larger than max.message.bytes allows";
    11, StaleControllerEpoch, "STALE_CONTROLLER_EPOCH", Final, "the controller has moved to another broker";
    12, OffsetMetadataTooLarge, "OFFSET_METADATA_TOO_LARGE", Final, "the metadata committed with an offset is too long";
    13, NetworkException, "NETWORK_EXCEPTION", Retriable, "the connection was lost before an answer came";
    14, CoordinatorLoadInProgress, "COORDINATOR_LOAD_IN_PROGRESS", Retriable, "the coordinator is still loading its state";
    15, CoordinatorNotAvailable, "COORDINATOR_NOT_AVAILABLE", Retriable, "the coordinator is not available";
    16, NotCoordinator, "NOT_COORDINATOR", Retriable, "this broker is not the coordinator asked for";
    17, InvalidTopicException, "INVALID_TOPIC_EXCEPTION", Final, "the topic name is not valid, or the topic may not be used in this way";
    18, RecordListTooLarge, "RECORD_LIST_TOO_LARGE", Final, "the batch is larger than a segment may be";
    19, NotEnoughReplicas, "NOT_ENOUGH_REPLICAS", Retriable, "too few replicas are in sync, nothing was written";
    20, NotEnoughReplicasAfterAppend, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", Retriable, "written, but too few replicas were in sync";
    21, InvalidRequiredAcks, "INVALID_REQUIRED_ACKS", Final, "acks must be -1, 0 or 1";
    22, IllegalGeneration, "ILLEGAL_GENERATION", Final, "the generation id is not the group's current one";
    23, InconsistentGroupProtocol, "INCONSISTENT_GROUP_PROTOCOL", Final, "the member shares no protocol with the group's members, or names none";
    24, InvalidGroupId, "INVALID_GROUP_ID", Final, "the group id is not valid";
    25, UnknownMemberId, "UNKNOWN_MEMBER_ID", Final, "the coordinator knows no such member";
    26, InvalidSessionTimeout, "INVALID_SESSION_TIMEOUT", Final, "the session timeout lies outside the broker's limits";
    27, RebalanceInProgress, "REBALANCE_IN_PROGRESS", Final, "the group is rebalancing, the member must join again";
    28, InvalidCommitOffsetSize, "INVALID_COMMIT_OFFSET_SIZE", Final, "the offset commit is too large";
    29, TopicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED", Final, "not authorised for the topic";
    30, GroupAuthorizationFailed, "GROUP_AUTHORIZATION_FAILED", Final, "not authorised for the group";
    31, ClusterAuthorizationFailed, "CLUSTER_AUTHORIZATION_FAILED", Final, "not authorised for the cluster";
    32, InvalidTimestamp, "INVALID_TIMESTAMP", Final, "a record's timestamp lies outside the accepted range or is of the wrong type";
    33, UnsupportedSaslMechanism, "UNSUPPORTED_SASL_MECHANISM", Final, "the SASL mechanism is not enabled here";
    34, IllegalSaslState, "ILLEGAL_SASL_STATE", Final, "the request does not fit the state of the SASL exchange";
    35, UnsupportedVersion, "UNSUPPORTED_VERSION", Final, "this version of the API is not supported";
    36, TopicAlreadyExists, "TOPIC_ALREADY_EXISTS", Final, "a topic of this name exists already";
    37, InvalidPartitions, "INVALID_PARTITIONS", Final, "the number of partitions is not valid";
    38, InvalidReplicationFactor, "INVALID_REPLICATION_FACTOR", Final, "the replication factor is below one or above the number of brokers";
    39, InvalidReplicaAssignment, "INVALID_REPLICA_ASSIGNMENT", Final, "the replica assignment is not valid";
    40, InvalidConfig, "INVALID_CONFIG", Final, "a configuration value is not valid";
    41, NotController, "NOT_CONTROLLER", Retriable, "this broker is not the active controller";
    42, InvalidRequest, "INVALID_REQUEST", Final, "the request is malformed or contradicts itself";
    43, UnsupportedForMessageFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT", Final, "the message format of the topic does not support the request";
    44, PolicyViolation, "POLICY_VIOLATION", Final, "a policy of the broker forbids the request";
    45, OutOfOrderSequenceNumber, "OUT_OF_ORDER_SEQUENCE_NUMBER", Final, "the batch does not follow the producer's last sequence number";
    46, DuplicateSequenceNumber, "DUPLICATE_SEQUENCE_NUMBER", Final, "the sequence number was used before";
    47, InvalidProducerEpoch, "INVALID_PRODUCER_EPOCH", Final, "the producer epoch is older than the current one";
    48, InvalidTxnState, "INVALID_TXN_STATE", Final, "the transaction is not in a state that allows the request";
    49, InvalidProducerIdMapping, "INVALID_PRODUCER_ID_MAPPING", Final, "the producer id does not belong to the transactional id";
    50, InvalidTransactionTimeout, "INVALID_TRANSACTION_TIMEOUT", Final, "the transaction timeout exceeds transaction.max.timeout.ms";
    51, ConcurrentTransactions, "CONCURRENT_TRANSACTIONS", Retriable, "another operation on the same transaction is still under way";
    52, TransactionCoordinatorFenced, "TRANSACTION_COORDINATOR_FENCED", Final, "the coordinator that wrote the marker is no longer in charge of the producer";
    53, TransactionalIdAuthorizationFailed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Final, "not authorised for the transactional id";
    54, SecurityDisabled, "SECURITY_DISABLED", Final, "security features are not enabled";
    55, OperationNotAttempted, "OPERATION_NOT_ATTEMPTED", Final, "not attempted, because another part of the request failed";
    56, KafkaStorageError, "KAFKA_STORAGE_ERROR", Retriable, "the broker could not reach its storage";
    57, LogDirNotFound, "LOG_DIR_NOT_FOUND", Final, "the broker has no such log directory";
    58, SaslAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", Final, "authentication failed";
    59, UnknownProducerId, "UNKNOWN_PRODUCER_ID", Final, "the broker knows nothing of this producer id";
    60, ReassignmentInProgress, "REASSIGNMENT_IN_PROGRESS", Final, "a reassignment of the partition is under way";
    61, DelegationTokenAuthDisabled, "DELEGATION_TOKEN_AUTH_DISABLED", Final, "delegation tokens are not enabled";
    62, DelegationTokenNotFound, "DELEGATION_TOKEN_NOT_FOUND", Final, "no such delegation token";
    63, DelegationTokenOwnerMismatch, "DELEGATION_TOKEN_OWNER_MISMATCH", Final, "the principal is neither owner nor renewer of the delegation token";
    64, DelegationTokenRequestNotAllowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", Final, "delegation tokens may not be requested over this kind of connection";
    65, DelegationTokenAuthorizationFailed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", Final, "not authorised for the delegation token";
    66, DelegationTokenExpired, "DELEGATION_TOKEN_EXPIRED", Final, "the delegation token has expired";
    67, InvalidPrincipalType, "INVALID_PRINCIPAL_TYPE", Final, "the principal type is not supported";
    68, NonEmptyGroup, "NON_EMPTY_GROUP", Final, "the group still has members";
    69, GroupIdNotFound, "GROUP_ID_NOT_FOUND", Final, "no such group";
    70, FetchSessionIdNotFound, "FETCH_SESSION_ID_NOT_FOUND", Retriable, "no such fetch session";
    71, InvalidFetchSessionEpoch, "INVALID_FETCH_SESSION_EPOCH", Retriable, "the epoch does not follow the fetch session's last one";
    72, ListenerNotFound, "LISTENER_NOT_FOUND", Retriable, "the leader has no listener of the name this request came in by";
    73, TopicDeletionDisabled, "TOPIC_DELETION_DISABLED", Final, "topic deletion is switched off";
    74, FencedLeaderEpoch, "FENCED_LEADER_EPOCH", Retriable, "the leader epoch in the request is older than the broker's";
    75, UnknownLeaderEpoch, "UNKNOWN_LEADER_EPOCH", Retriable, "the leader epoch in the request is newer than the broker's";
    76, UnsupportedCompressionType, "UNSUPPORTED_COMPRESSION_TYPE", Final, "the compression codec is unknown or not allowed in this version of the request";
    77, StaleBrokerEpoch, "STALE_BROKER_EPOCH", Final, "the broker epoch has changed";
    78, OffsetNotAvailable, "OFFSET_NOT_AVAILABLE", Retriable, "a new leader does not yet know how far the log may be read";
    79, MemberIdRequired, "MEMBER_ID_REQUIRED", Final, "join again with the member id in this answer";
    80, PreferredLeaderNotAvailable, "PREFERRED_LEADER_NOT_AVAILABLE", Retriable, "the preferred leader is not available";
    81, GroupMaxSizeReached, "GROUP_MAX_SIZE_REACHED", Final, "the group has as many members as it may have";
    82, FencedInstanceId, "FENCED_INSTANCE_ID", Final, "another member has taken over this group.instance.id";
    83, EligibleLeadersNotAvailable, "ELIGIBLE_LEADERS_NOT_AVAILABLE", Retriable, "no eligible leader is available";
    84, ElectionNotNeeded, "ELECTION_NOT_NEEDED", Retriable, "the partition needs no election";
    85, NoReassignmentInProgress, "NO_REASSIGNMENT_IN_PROGRESS", Final, "no reassignment is under way";
    86, GroupSubscribedToTopic, "GROUP_SUBSCRIBED_TO_TOPIC", Final, "the group is still subscribed to the topic";
    87, InvalidRecord, "INVALID_RECORD", Final, "the batch or a record in it breaks a rule of the broker";
    88, UnstableOffsetCommit, "UNSTABLE_OFFSET_COMMIT", Retriable, "a transaction holds offsets that are not settled yet";
    89, ThrottlingQuotaExceeded, "THROTTLING_QUOTA_EXCEEDED", Retriable, "the quota for such requests is used up for now";
    90, ProducerFenced, "PRODUCER_FENCED", Final, "a newer producer has taken over this transactional id";
    91, ResourceNotFound, "RESOURCE_NOT_FOUND", Final, "no such resource";
    92, DuplicateResource, "DUPLICATE_RESOURCE", Final, "the request names a resource twice";
    93, UnacceptableCredential, "UNACCEPTABLE_CREDENTIAL", Final, "the credential does not meet the requirements";
    94, InconsistentVoterSet, "INCONSISTENT_VOTER_SET", Final, "the set of voters does not match";
    95, InvalidUpdateVersion, "INVALID_UPDATE_VERSION", Final, "the feature's new version is not valid";
    96, FeatureUpdateFailed, "FEATURE_UPDATE_FAILED", Final, "the feature could not be updated";
    97, PrincipalDeserializationFailure, "PRINCIPAL_DESERIALIZATION_FAILURE", Final, "the forwarded principal could not be read";
    98, SnapshotNotFound, "SNAPSHOT_NOT_FOUND", Final, "no such snapshot";
    99, PositionOutOfRange, "POSITION_OUT_OF_RANGE", Final, "the position lies outside the snapshot";
    100, UnknownTopicId, "UNKNOWN_TOPIC_ID", Retriable, "this broker hosts no topic with this id";
    101, DuplicateBrokerRegistration, "DUPLICATE_BROKER_REGISTRATION", Final, "the broker id is in use already";
    102, BrokerIdNotRegistered, "BROKER_ID_NOT_REGISTERED", Final, "no broker is registered under this id";
    103, InconsistentTopicId, "INCONSISTENT_TOPIC_ID", Retriable, "the topic id does not match the log's";
    104, InconsistentClusterId, "INCONSISTENT_CLUSTER_ID", Final, "the cluster id does not match the broker's";
    105, TransactionalIdNotFound, "TRANSACTIONAL_ID_NOT_FOUND", Final, "no such transactional id";
    106, FetchSessionTopicIdError, "FETCH_SESSION_TOPIC_ID_ERROR", Retriable, "the fetch session mixes topic names and topic ids";
    107, IneligibleReplica, "INELIGIBLE_REPLICA", Final, "a replica in the new ISR is not eligible";
    108, NewLeaderElected, "NEW_LEADER_ELECTED", Final, "the update was made, but the leader has changed";
    109, OffsetMovedToTieredStorage, "OFFSET_MOVED_TO_TIERED_STORAGE", Final, "the offset is in tiered storage only";
    110, FencedMemberEpoch, "FENCED_MEMBER_EPOCH", Final, "the member epoch is fenced, the member must give up its partitions and join again";
    111, UnreleasedInstanceId, "UNRELEASED_INSTANCE_ID", Final, "the group.instance.id is still held by another member";
    112, UnsupportedAssignor, "UNSUPPORTED_ASSIGNOR", Final, "the assignor is not supported by the group";
    113, StaleMemberEpoch, "STALE_MEMBER_EPOCH", Final, "the member epoch is out of date, the next heartbeat brings the new one";
    114, MismatchedEndpointType, "MISMATCHED_ENDPOINT_TYPE", Final, "the request went to the wrong type of endpoint";
    115, UnsupportedEndpointType, "UNSUPPORTED_ENDPOINT_TYPE", Final, "this type of endpoint is not supported";
    116, UnknownControllerId, "UNKNOWN_CONTROLLER_ID", Final, "no such controller";
    117, UnknownSubscriptionId, "UNKNOWN_SUBSCRIPTION_ID", Final, "the telemetry subscription id is unknown or out of date";
    118, TelemetryTooLarge, "TELEMETRY_TOO_LARGE", Final, "the telemetry pushed is larger than the broker accepts";
    119, InvalidRegistration, "INVALID_REGISTRATION", Final, "the controller refused the broker's registration";
    120, TransactionAbortable, "TRANSACTION_ABORTABLE", Final, "the transaction failed, abort it to go on";
    121, InvalidRecordState, "INVALID_RECORD_STATE", Final, "the record is not in a state that allows this acknowledgement";
    122, ShareSessionNotFound, "SHARE_SESSION_NOT_FOUND", Retriable, "no such share session";
    123, InvalidShareSessionEpoch, "INVALID_SHARE_SESSION_EPOCH", Retriable, "the epoch does not follow the share session's last one";
    124, FencedStateEpoch, "FENCED_STATE_EPOCH", Final, "the state epoch of the share group is not the current one";
    125, InvalidVoterKey, "INVALID_VOTER_KEY", Final, "the voter's key does not match the replica's";
    126, DuplicateVoter, "DUPLICATE_VOTER", Final, "the voter is in the set already";
    127, VoterNotFound, "VOTER_NOT_FOUND", Final, "the voter is not in the set";
    128, InvalidRegularExpression, "INVALID_REGULAR_EXPRESSION", Final, "the regular expression is not valid";
    129, RebootstrapRequired, "REBOOTSTRAP_REQUIRED", Final, "the client's metadata is out of date, it must start from its bootstrap servers again";
    130, StreamsInvalidTopology, "STREAMS_INVALID_TOPOLOGY", Final, "the streams topology is not valid";
    131, StreamsInvalidTopologyEpoch, "STREAMS_INVALID_TOPOLOGY_EPOCH", Final, "the epoch of the streams topology is not valid";
    132, StreamsTopologyFenced, "STREAMS_TOPOLOGY_FENCED", Final, "a newer epoch of the streams topology exists";
    133, ShareSessionLimitReached, "SHARE_SESSION_LIMIT_REACHED", Retriable, "the broker holds as many share sessions as it may";
}

impl ErrorCode {
    /// The code of a number on the wire; `None` for one that Kafka 4.3 does not know.
    pub fn from_code(code: i16) -> Option<Self> {
        let row = usize::try_from(i32::from(code) + 1).ok()?;
        ROWS.get(row).map(|(error, ..)| *error)
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Kafka's name, such as `OFFSET_OUT_OF_RANGE`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether the same request may succeed when it is sent again.
    pub fn retriable(self) -> bool {
        self.row().2 == Advice::Retriable
    }

    /// What went wrong, in a few words.
    pub fn text(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static str, Advice, &'static str) {
        // A variant exists only as a row, so the index is always within the table.
        &ROWS[(self.code() + 1) as usize]
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.text())
    }
}

impl std::error::Error for ErrorCode {}

/// A number that is no error code of Kafka 4.3, as a newer peer may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code {0}")]
pub struct UnknownErrorCode(pub i16);

impl TryFrom<i16> for ErrorCode {
    type Error = UnknownErrorCode;

    fn try_from(code: i16) -> Result<Self, UnknownErrorCode> {
        Self::from_code(code).ok_or(UnknownErrorCode(code))
    }
}

impl From<ErrorCode> for i16 {
    fn from(error: ErrorCode) -> Self {
        error.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_from_minus_one_to_the_last_is_a_code_and_finds_its_own_row() {
        for (number, row) in (-1i16..).zip(ROWS) {
            assert_eq!(row.0.code(), number);
            assert_eq!(ErrorCode::try_from(number), Ok(row.0));
            assert_eq!(row.0.name(), row.1);
        }
        assert_eq!(ROWS.len(), 135);
        for number in [i16::MIN, -2, 134, i16::MAX] {
            assert_eq!(ErrorCode::try_from(number), Err(UnknownErrorCode(number)));
        }
    }

    /// `tests/golden/error_codes.tsv` is what Kafka 4.3.1 itself prints for its codes.
    #[test]
    fn numbers_names_and_retriability_are_those_of_kafka() {
        let golden = include_str!("../tests/golden/error_codes.tsv");
        let ours: String = ROWS
            .iter()
            .map(|(error, ..)| {
                format!(
                    "{}\t{}\t{}\n",
                    error.code(),
                    error.name(),
                    error.retriable()
                )
            })
            .collect();
        assert_eq!(ours, golden);
    }
}
