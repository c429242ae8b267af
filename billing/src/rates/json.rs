//! Rate cards as JSON: the same text for the same card, which digests are made of.

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::{Item, Price, Pricing, RateCard};

impl Serialize for Price {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Price", 2)?;
        fields.serialize_field("from", &self.from)?;
        match &self.pricing {
            Pricing::Public(price) => fields.serialize_field("price", price)?,
            Pricing::Tariff(tariff) => fields.serialize_field("tariff", tariff.terms())?,
            Pricing::Encrypted { largest } => fields.serialize_field("largest", largest)?,
        }
        fields.end()
    }
}

impl Serialize for Item {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Item", 7 + usize::from(self.calls().is_some()))?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("kind", &self.kind)?;
        fields.serialize_field("unit", &self.unit)?;
        fields.serialize_field("measured", &self.measured)?;
        fields.serialize_field("limit", &self.limit)?;
        fields.serialize_field("weight", &self.weight)?;
        if let Some(calls) = self.calls() {
            fields.serialize_field("calls", &calls)?;
        }
        fields.serialize_field("prices", &self.prices)?;
        fields.end()
    }
}

impl Serialize for RateCard {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("RateCard", 2)?;
        fields.serialize_field("currency", &self.currency)?;
        fields.serialize_field("items", &self.items)?;
        fields.end()
    }
}
