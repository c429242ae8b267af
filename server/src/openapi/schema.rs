//! Shapes of what travels: texts with a pattern, bodies that are not JSON, and documents whose types belong to other crates.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::extract::{DEFAULT_PAGE, MAX_PAGE};
use crate::id::{ApiKeyId, BodyDigest, IdempotencyKey, JobId, LedgerId, RoomId, TenantId};
use crate::time::UnixMillis;

/// A text of that pattern.
pub(super) fn text(pattern: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()
}

/// One of these texts.
pub(super) fn text_among<'a>(texts: impl Iterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(texts.map(Value::from))).build()
}

/// So many lower-case hexadecimal digits.
pub(super) fn hex(digits: usize) -> Object {
    text(&format!("^[0-9a-f]{{{digits}}}$"))
}

/// Whole seconds to wait.
pub(super) fn seconds() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(60)).build()
}

/// The role that satisfies a security requirement.
pub(super) fn role(requirement: &SecurityRequirement) -> Option<String> {
    let value = serde_json::to_value(requirement).ok()?;
    value.get("bearer")?.get(0)?.as_str().map(str::to_owned)
}

/// Schemas by the names under which others refer to them.
pub(super) type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The schemas of ids, names and moments: what refers to them from a parameter does not bring them along.
pub(super) fn shared() -> Schemas {
    let mut all = Schemas::new();
    keep::<RoomId>(&mut all);
    keep::<JobId>(&mut all);
    keep::<SubjectId>(&mut all);
    keep::<AfterNumber>(&mut all);
    keep::<HandleId>(&mut all);
    keep::<ApiKeyId>(&mut all);
    keep::<BodyDigest>(&mut all);
    keep::<TenantId>(&mut all);
    keep::<IdempotencyKey>(&mut all);
    keep::<UnixMillis>(&mut all);
    keep::<PageLimit>(&mut all);
    keep::<AfterId>(&mut all);
    keep::<AfterName>(&mut all);
    keep::<AfterDigest>(&mut all);
    keep::<DayText>(&mut all);
    keep::<Problem>(&mut all);
    all
}

/// The same for those whose names are a family's.
pub(super) fn of_meters() -> Schemas {
    let mut all = Schemas::new();
    keep::<LedgerId>(&mut all);
    all
}

fn keep<T: ToSchema>(all: &mut Schemas) {
    all.insert(T::name().into_owned(), T::schema());
}

macro_rules! texts {
    ($($type:ident $name:literal $schema:expr, $description:literal;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let mut schema: Object = $schema;
                schema.description = Some($description.to_owned());
                Schema::Object(schema).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

/// A handle, which is a type of the engine.
pub(crate) enum HandleId {}
/// Name and revision of an operator.
pub(crate) enum OperatorId {}
/// What a part of a job is about.
pub(crate) enum SubjectId {}
/// The number after which a page begins; empty for the first page.
pub(crate) enum AfterNumber {}
/// Bytes.
pub(crate) enum Octets {}
/// Bytes with a receipt before them.
pub(crate) enum Receipted {}
/// The id after which a page begins; empty for the first page.
pub(crate) enum AfterId {}
/// The name after which a page begins; empty for the first page.
pub(crate) enum AfterName {}
/// The digest after which a page begins; empty for the first page.
pub(crate) enum AfterDigest {}
/// A day.
pub(crate) enum DayText {}
/// A room, meter or panel.
pub(crate) enum CollectionName {}
/// How many entries of a list are wanted.
pub(crate) enum PageLimit {}
/// Why a request fails.
pub(crate) enum Problem {}

texts! {
    RoomId "RoomId" hex(32), "A room.";
    JobId "JobId" hex(32), "A job.";
    SubjectId "SubjectId" hex(32), "A room, meter or panel.";
    AfterNumber "AfterNumber" text("^[0-9]{0,20}$"), "The number after which a page begins; empty for the first page.";
    HandleId "Handle" hex(32), "A handle: the opaque name of an enrolled value.";
    LedgerId "MeterId" hex(32), "A meter.";
    ApiKeyId "ApiKeyId" hex(32), "An API key as it is listed; says nothing about the key itself.";
    BodyDigest "Digest" hex(64), "A SHA-256.";
    TenantId "TenantName" text("^[a-z0-9-]{1,64}$"), "A tenant.";
    IdempotencyKey "IdempotencyKey" text("^[A-Za-z0-9._-]{1,64}$"), "What a client calls a request that it may have to repeat.";
    OperatorId "OperatorId" text("^[a-z0-9-]+/[0-9]+$"), "Name and revision of an operator.";
    UnixMillis "UnixMillis" moment(), "Milliseconds since the beginning of 1970, UTC.";
    AfterId "AfterId" text("^([0-9a-f]{32})?$"), "The id after which a page begins; empty for the first page.";
    AfterName "AfterName" text("^[a-z0-9-]{0,64}$"), "The name after which a page begins; empty for the first page.";
    AfterDigest "AfterDigest" text("^([0-9a-f]{64})?$"), "The digest after which a page begins; empty for the first page.";
    DayText "Day" text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), "A day in UTC, such as 2026-11-20.";
    CollectionName "CollectionName" hex(32), "A room, meter or panel.";
    PageLimit "PageLimit" page_limit(), "Most entries of a page.";
    Octets "Octets" octets(), "Bytes in the format of docs/wire-format.md, or as the operator defines them.";
    Receipted "Receipted" octets(), "The receipt's length in four bytes, lowest first, the signed receipt, the answer (docs/receipts.md).";
    Problem "Problem" problem(), "Why a request fails (RFC 9457). Programs look at `status` and `code`; `detail` is for people and says what to do next.";
}

fn moment() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_u64)).maximum(Some(u64::MAX)).build()
}

fn page_limit() -> Object {
    let whole = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_PAGE));
    whole.default(Some(json!(DEFAULT_PAGE))).build()
}

fn octets() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(utoipa::openapi::SchemaFormat::Custom("binary".to_owned())))
        .build()
}

fn problem() -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(400)).maximum(Some(599));
    ObjectBuilder::new()
        .property("type", text("^urn:blindrelay:problem:[a-z-]+$"))
        .property("title", text("."))
        .property("status", number)
        .property("detail", text("."))
        .property("code", text("^[a-z-]+$"))
        .property("id", hex(16))
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("code")
        .examples([json!({
            "type": "urn:blindrelay:problem:room-empty", "title": "Conflict", "status": 409, "detail": "nobody is enrolled yet", "code": "room-empty"
        })])
        .build()
}
