//! How operations refuse requests: groups of codes that go together, and the responses that they make.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, ToSchema};

use super::codes::{self, Code, Codes};
use super::schema::{Problem, text_among};

/// The media type of refusals.
pub(super) const PROBLEM: &str = "application/problem+json";

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident: $($code:ident)*;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Codes for $name {
            fn all() -> Vec<&'static Code> {
                [$(codes::$code::all()),*].concat()
            }
        }
    )*};
}

groups! {
    /// Every operation.
    Served: Internal;
    /// An operation that asks for a key, and for the store to find it.
    Keyed: Unauthorized RoleRefused TenantSuspended OriginRefused StoreUnavailable Internal;
    /// An address with an id in it.
    Named: MalformedId;
    /// Query parameters.
    Argument: MalformedQuery;
    /// A body.
    Body: BodyTruncated BodyTimeout BodyTooLong;
    /// A body of JSON.
    SmallJson: BodyTruncated BodyTimeout BodyTooLong MalformedJson;
    /// A body that is an object of the wire format.
    Object: BodyTruncated BodyTimeout BodyTooLong UploadsFull MalformedObject UnknownParameters WrongParameters;
    /// What the tenant keeps becomes more.
    Stored: QuotaExceeded;
    /// A request on the account of the tenant, in the queue of computations.
    Account: RateLimited QueueFull QueueSlow;
    /// What is made for an operator.
    Operand: ParametersSunset UnknownOperator WrongResource KeysRequired KeysIncomplete WrongParameters KeysMissing KeysExpired KeysRevoked MalformedId;
    /// Keys that something was made with.
    UsedKeys: KeysMissing KeysExpired KeysRevoked KeysIncomplete;
    /// What uses an operator, without computing.
    Retired: OperatorRetired;
    /// An operator that computes.
    Computation: OperatorRetired Noise Refused Range MalformedObject WrongParameters;
    /// An answer whose receipt is kept.
    KeptReceipt: QuotaExceeded Contended;
    /// A change under a name.
    Repeatable: MalformedHeader IdempotencyConflict Contended;
}

macro_rules! together {
    ($($name:ident)*) => {
        impl<$($name: Codes),*> Codes for ($($name,)*) {
            fn all() -> Vec<&'static Code> {
                [$($name::all()),*].concat()
            }
        }
    };
}

together!(A);
together!(A B);
together!(A B C);
together!(A B C D);
together!(A B C D E);
together!(A B C D E F);
together!(A B C D E F G);
together!(A B C D E F G H);
together!(A B C D E F G H I);

/// The responses of an operation that refuses with these codes.
pub(crate) struct Refusals<T>(PhantomData<T>);

impl<T: Codes> IntoResponses for Refusals<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut by_status: BTreeMap<u16, Vec<&Code>> = BTreeMap::new();
        for code in T::all() {
            let known = by_status.entry(code.status).or_default();
            if known.iter().all(|other| other.name != code.name) {
                known.push(code);
            }
        }
        by_status.into_iter().map(|(status, codes)| (status.to_string(), response(status, &codes).into())).collect()
    }
}

fn response(status: u16, codes: &[&Code]) -> Response {
    let lines: Vec<String> = codes.iter().map(|code| format!("* `{}`: {}", code.name, code.meaning)).collect();
    let narrowed = ObjectBuilder::new()
        .property("code", text_among(codes.iter().map(|code| code.name)))
        .property("status", ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([json!(status)])));
    let schema = AllOfBuilder::new().item(Ref::from_schema_name(Problem::name())).item(narrowed);
    let content = ContentBuilder::new().schema(Some(Schema::AllOf(schema.build()))).build();
    ResponseBuilder::new().description(lines.join("\n")).content(PROBLEM, content).build()
}
