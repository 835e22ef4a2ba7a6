//! What is answered when something is wrong: a code for programs, a message and advice for people.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::signature::SCHEME;

macro_rules! codes {
    ($($code:ident $word:literal $status:ident $advice:literal;)*) => {
        /// What is wrong, for programs; it does not change. A status of 200 belongs to a result inside an answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($code,)* }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// As JSON and metrics have it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$code => $word,)* }
            }

            /// Of an answer that is this problem.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$code => $advice,)* }
            }
        }
    };
}

codes! {
    // of a request
    Unauthenticated "unauthenticated" UNAUTHORIZED "check the key, its secret and the text that is signed; the documentation has an example";
    ClockSkew "clock_skew" UNAUTHORIZED "set this host's clock, and sign each request anew";
    Replayed "replayed" UNAUTHORIZED "sign each request anew, with a nonce of its own";
    SourceNotAllowed "source_not_allowed" FORBIDDEN "send it from an address that was agreed, or have this one added";
    NoSuchPath "no_such_path" NOT_FOUND "the paths are in /openapi.json";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "the methods of each path are in /openapi.json";
    NotFound "not_found" NOT_FOUND "check the id or the reference; messages are kept for a limited time";
    BadQuery "bad_query" BAD_REQUEST "the parameters are in /openapi.json";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "send fewer messages at a time";
    BodyTooSlow "body_too_slow" REQUEST_TIMEOUT "send the whole body at once";
    BodyBroken "body_broken" BAD_REQUEST "send as many bytes as the header says";
    NotUtf8 "not_utf8" BAD_REQUEST "send JSON in UTF-8";
    NotJson "not_json" BAD_REQUEST "send JSON such as {\"messages\":[{\"reference\":\"r-1\",\"to\":\"13800138000\",\"text\":\"hello\",\"class\":\"notice\"}]}";
    NoMessages "no_messages" BAD_REQUEST "send {\"messages\":[…]} with at least one message";
    TooManyRecipients "too_many_recipients" PAYLOAD_TOO_LARGE "send at most 1000 recipients in one request";
    RateExceeded "rate_exceeded" TOO_MANY_REQUESTS "wait as long as Retry-After says, then send it again";
    TooManyAtOnce "too_many_at_once" TOO_MANY_REQUESTS "wait for answers before sending more";
    QuotaExceeded "quota_exceeded" TOO_MANY_REQUESTS "send it tomorrow, or have the quota raised";
    QueueFull "queue_full" SERVICE_UNAVAILABLE "send it again later, with the same reference";
    StoreAway "store_away" SERVICE_UNAVAILABLE "send it again, with the same reference: what was kept is not sent twice";
    Stopping "stopping" SERVICE_UNAVAILABLE "send it again, with the same reference: the other front-end takes it";
    // of a message, or of one recipient
    BadMessage "bad_message" OK "the keys of a message are in /openapi.json";
    UnknownField "unknown_field" OK "the keys of a message are in /openapi.json";
    BadReference "bad_reference" OK "give each message a reference of its own: 1 to 64 letters, digits and . _ : -";
    BadNumber "bad_number" OK "write 1 to 20 digits, with or without +";
    BadText "bad_text" OK "write a text that is not empty and holds no character U+0000";
    TextTooLong "text_too_long" OK "shorten the text, or send it as several messages";
    UnknownClass "unknown_class" OK "use a class that was agreed";
    BadExtension "bad_extension" OK "write up to 12 digits, in quotes, or leave it out";
    BadPriority "bad_priority" OK "write a whole number from 0 to 9, or leave it out";
    BadReport "bad_report" OK "write true or false, or leave it out";
    BadNotAfter "bad_not_after" OK "write milliseconds since 1970, in the future and before 2100, or leave it out";
    ReferenceReused "reference_reused" OK "a reference belongs to one message for ever: give the new one another";
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    pub code: Code,
    /// What is wrong, for people. It holds no number, text or secret.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
    /// Seconds.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// The body of an answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failure {
    pub error: Problem,
}

impl Problem {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), advice: code.advice(), retry_after: None }
    }

    /// The same, with when to try again, in seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.code, self.retry_after);
        let mut response = (code.status(), Json(Failure { error: self })).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
        }
        response.extensions_mut().insert(code);
        response
    }
}
