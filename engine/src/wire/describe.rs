//! What bytes say about themselves, in words and for programs: headers only, no tables and no residues.

use std::fmt;

use serde::Serialize;

use super::answer::AnswerHeader;
use super::approximate::{ApproximateHeader, BoundsHeader, ScaleHeader, SeededApproximateHeader};
use super::budget::{Shape, total_len};
use super::ciphertext::{CiphertextHeader, SeededCiphertextHeader};
use super::codec::MAX_TYPED_BYTES;
use super::error::WireError;
use super::header::{Frame, Kind};
use super::keys::{EvaluationKeysHeader, PublicKeyHeader};
use super::levelled::LevelledSeededHeader;
use super::message::MessageHeader;
use crate::params::{ParameterDigest, presets};

/// The description of an encoded object. Fields that its kind does not have are absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// What it is.
    pub kind: Kind,
    /// Version of the format.
    pub version: u8,
    /// Digest of the parameters, in hexadecimal.
    pub parameters: String,
    /// Name of the parameter set, if it is one of the named ones.
    pub parameter_set: Option<String>,
    /// Bytes that were given.
    pub bytes: usize,
    /// Bytes that the headers promise; known for messages and under named parameter sets.
    pub expected_bytes: Option<usize>,
    /// Level of a ciphertext, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Components of a ciphertext or answer, its first one and those that are seeds included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<usize>,
    /// Whether uniform halves are there as seeds.
    pub seeded: bool,
    /// Noise bound of a ciphertext.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseDescription>,
    /// Scale of an approximate ciphertext.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleDescription>,
    /// Bounds of an approximate ciphertext; those of its encoding where it is seeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<BoundsDescription>,
    /// Coefficients that an answer opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positions: Option<Vec<u32>>,
    /// Whether a set of evaluation keys can relinearize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relinearization: Option<bool>,
    /// Automorphisms of a set of evaluation keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub galois_elements: Option<Vec<u32>>,
    /// Operator of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Part number of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<u8>,
    /// Lengths of a message's items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemRun>>,
}

/// The noise bound of a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NoiseDescription {
    /// Base-2 logarithm of the bound on every coefficient.
    pub sup_log2: f64,
    /// Base-2 logarithm of the bound on the Euclidean norm.
    pub euclidean_log2: f64,
}

/// The scale of an approximate ciphertext: a power of 2 times powers of ciphertext primes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleDescription {
    /// Base-2 logarithm, known under named parameter sets.
    pub log2: Option<f64>,
    /// Exponent of 2.
    pub two: i32,
    /// The other factors, by ascending position.
    pub primes: Vec<PrimePower>,
}

/// A power of a ciphertext prime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PrimePower {
    /// Its position among the ciphertext primes, counted from 0.
    pub position: u32,
    /// The prime, known under named parameter sets.
    pub prime: Option<u64>,
    /// The exponent.
    pub exponent: i32,
}

/// The bounds of an approximate ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BoundsDescription {
    /// Base-2 logarithm of the bound on scale times the magnitude of every slot.
    pub message_log2: f64,
    /// Base-2 logarithm of the bound on scale times the error of every slot.
    pub error_log2: f64,
}

/// Items of one length in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemRun {
    /// Length of each in bytes.
    pub length: u32,
    /// How many.
    pub count: u32,
}

/// Reads the headers. Refused where they cannot be read, or say what the parameters do not allow where those are a named set. The payload is not looked
/// at: [`Description::bytes`] tells whether all of it is there.
pub fn describe(bytes: &[u8]) -> Result<Description, WireError> {
    let frame = Frame::open(bytes)?;
    let header = frame.header();
    let spec = presets().into_iter().find(|spec| ParameterDigest::of(spec) == header.parameters);
    let shape = spec.as_ref().map(Shape::of_spec);
    let expected_bytes = match (shape, header.kind) {
        (Some(shape), _) => Some(total_len(&frame, shape)?),
        (None, Kind::Message) => Some(MessageHeader::total_len(&frame)?),
        (None, _) => None,
    };
    let mut description = Description {
        kind: header.kind,
        version: header.version,
        parameters: header.parameters.to_string(),
        parameter_set: spec.as_ref().map(|spec| spec.name.clone()),
        bytes: frame.len(),
        expected_bytes,
        level: None,
        components: None,
        seeded: false,
        noise: None,
        scale: None,
        bounds: None,
        positions: None,
        relinearization: None,
        galois_elements: None,
        operator: None,
        part: None,
        items: None,
    };
    description.read_typed(&frame, shape)?;
    Ok(description)
}

impl Description {
    fn read_typed(&mut self, frame: &Frame<'_>, shape: Option<Shape<'_>>) -> Result<(), WireError> {
        match self.kind {
            Kind::SeededCiphertext => {
                frame.typed::<SeededCiphertextHeader>(0)?;
                self.seeded = true;
                self.components = Some(2);
                self.level = shape.map(Shape::top_level);
            }
            Kind::Ciphertext => {
                let typed: CiphertextHeader = frame.typed(MAX_TYPED_BYTES)?;
                let noise = typed.noise(shape.map_or(1, Shape::degree));
                self.components = Some(usize::from(typed.components));
                self.level = Some(typed.level as usize);
                self.noise =
                    Some(NoiseDescription { sup_log2: noise.sup_log2(), euclidean_log2: noise.euclidean_log2() });
            }
            Kind::Answer => {
                let typed: AnswerHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.components = Some(1 + usize::from(typed.rest));
                self.positions = Some(typed.positions.parse_any()?);
            }
            Kind::PublicKey => {
                frame.typed::<PublicKeyHeader>(0)?;
                self.seeded = true;
            }
            Kind::EvaluationKeys => {
                let typed: EvaluationKeysHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.seeded = true;
                self.relinearization = Some(typed.relinearization > 0);
                self.galois_elements = Some(typed.elements());
            }
            Kind::Message => {
                let typed: MessageHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.operator = Some(typed.operator);
                self.part = Some(typed.part);
                self.items = Some(typed.runs.0.iter().map(|&(length, count)| ItemRun { length, count }).collect());
            }
            Kind::ApproximateCiphertext => {
                let typed: ApproximateHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.components = Some(usize::from(typed.components));
                self.level = Some(typed.level as usize);
                self.read_scale(&typed.scale, typed.bounds, shape)?;
            }
            Kind::LevelledSeededCiphertext => {
                let typed: LevelledSeededHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.seeded = true;
                self.components = Some(2);
                self.level = Some(typed.level as usize);
            }
            Kind::SeededApproximateCiphertext => {
                let typed: SeededApproximateHeader = frame.typed(MAX_TYPED_BYTES)?;
                self.seeded = true;
                self.components = Some(2);
                self.level = shape.map(Shape::top_level);
                self.read_scale(&typed.scale, typed.bounds, shape)?;
            }
        }
        Ok(())
    }

    fn read_scale(
        &mut self,
        scale: &ScaleHeader,
        bounds: BoundsHeader,
        shape: Option<Shape<'_>>,
    ) -> Result<(), WireError> {
        scale.canonical()?;
        let primes = shape.map(Shape::ciphertext_primes);
        let power = |&(position, exponent): &(u32, i32)| {
            let prime = primes.and_then(|primes| primes.get(position as usize).copied());
            PrimePower { position, prime, exponent }
        };
        self.scale = Some(ScaleDescription {
            log2: primes.map(|primes| scale.parse(primes)).transpose()?.map(|scale| scale.log2()),
            two: scale.two,
            primes: scale.primes.0.iter().map(power).collect(),
        });
        let bounds = bounds.parse();
        self.bounds = Some(BoundsDescription { message_log2: bounds.message, error_log2: bounds.error });
        Ok(())
    }

    /// The scale, and what the bounds say about slots where its size is known.
    fn write_scale(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(scale), Some(bounds)) = (&self.scale, &self.bounds) else { return Ok(()) };
        write!(f, "\nscale: 2^{}", scale.two)?;
        for PrimePower { position, prime, exponent } in &scale.primes {
            match prime {
                Some(prime) => write!(f, " {prime}^{exponent}")?,
                None => write!(f, " q{position}^{exponent}")?,
            }
        }
        let Some(log2) = scale.log2 else {
            write!(f, "\nscale times slots: up to 2^{:.3}", bounds.message_log2)?;
            return write!(f, ", with errors up to 2^{:.3}", bounds.error_log2);
        };
        if !scale.primes.is_empty() {
            write!(f, " (about 2^{log2:.6})")?;
        }
        write!(f, "\nslots: up to 2^{:.3}", bounds.message_log2 - log2)?;
        write!(f, ", with errors up to 2^{:.3}", bounds.error_log2 - log2)
    }
}

/// Numbers separated by commas.
fn list(f: &mut fmt::Formatter<'_>, numbers: &[u32]) -> fmt::Result {
    numbers.iter().enumerate().try_for_each(|(index, number)| match index {
        0 => write!(f, " {number}"),
        _ => write!(f, ", {number}"),
    })
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, format version {}, {} bytes", self.kind, self.version, self.bytes)?;
        match self.expected_bytes {
            Some(expected) if expected == self.bytes => f.write_str(", as many as its headers promise")?,
            Some(expected) => write!(f, ", but its headers promise {expected}")?,
            None => {}
        }
        let set = self.parameter_set.as_deref().unwrap_or("not a named set");
        write!(f, "\nparameters: {set}, digest {}", self.parameters)?;
        if let Some(level) = self.level {
            write!(f, "\nlevel: {level}")?;
        }
        if let Some(components) = self.components {
            write!(f, "\ncomponents: {components}")?;
        }
        if self.seeded {
            f.write_str("\nuniform halves: as seeds")?;
        }
        if let Some(noise) = &self.noise {
            write!(f, "\nnoise: coefficients up to 2^{:.3}", noise.sup_log2)?;
            write!(f, ", Euclidean norm up to 2^{:.3}", noise.euclidean_log2)?;
        }
        self.write_scale(f)?;
        if let Some(positions) = &self.positions {
            write!(f, "\npositions ({}):", positions.len())?;
            list(f, positions)?;
        }
        if let Some(relinearization) = self.relinearization {
            write!(f, "\nrelinearization key: {}", if relinearization { "yes" } else { "no" })?;
        }
        if let Some(elements) = &self.galois_elements {
            write!(f, "\nautomorphism keys ({}):", elements.len())?;
            list(f, elements)?;
        }
        if let (Some(operator), Some(part)) = (&self.operator, self.part) {
            write!(f, "\noperator: {operator:?}, part {part}")?;
        }
        for ItemRun { length, count } in self.items.iter().flatten() {
            write!(f, "\nitems: {count} of {length} bytes")?;
        }
        Ok(())
    }
}
