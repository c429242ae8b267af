//! The header of a usage file: which column is where.

use csv::ByteRecord;

/// Everything that a usage file may say of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Tenant,
    Item,
    Time,
    Quantity,
    Join,
    Leave,
    Currency,
}

impl Column {
    const ALL: [Self; 7] =
        [Self::Tenant, Self::Item, Self::Time, Self::Quantity, Self::Join, Self::Leave, Self::Currency];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Item => "item",
            Self::Time => "time",
            Self::Quantity => "quantity",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Currency => "currency",
        }
    }
}

/// Places of the columns; the first two are always there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    places: [Option<usize>; Column::ALL.len()],
    count: usize,
}

impl Columns {
    /// Reads a header, in any order of columns. The error says what is wrong with it.
    pub(crate) fn of(header: &ByteRecord) -> Result<Self, String> {
        let mut places = [None; Column::ALL.len()];
        for (index, field) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(field.trim_ascii()).trim_start_matches('\u{feff}').to_lowercase();
            let known = Column::ALL.into_iter().zip(&mut places).find(|(column, _)| column.name() == name);
            match known {
                Some((_, place @ None)) => *place = Some(index),
                Some((column, Some(_))) => return Err(format!("the column {} is there twice", column.name())),
                None if header.len() == 1 && name.contains([';', '\t']) => {
                    return Err("the columns are not separated by commas".to_owned());
                }
                None => {
                    let name: String = name.chars().take(40).collect();
                    return Err(format!("no column is called '{name}'"));
                }
            }
        }
        let columns = Self { places, count: header.len() };
        for needed in [Column::Tenant, Column::Item] {
            columns.require(needed)?;
        }
        for (one, other) in [(Column::Time, Column::Quantity), (Column::Join, Column::Leave)] {
            match (columns.place(one), columns.place(other)) {
                (Some(_), None) => columns.require(other)?,
                (None, Some(_)) => columns.require(one)?,
                _ => {}
            }
        }
        if columns.place(Column::Quantity).is_none() && columns.place(Column::Leave).is_none() {
            return Err("the columns time and quantity are missing, and so are join and leave".to_owned());
        }
        Ok(columns)
    }

    fn require(&self, column: Column) -> Result<(), String> {
        match self.place(column) {
            Some(_) => Ok(()),
            None => Err(format!("the column {} is missing", column.name())),
        }
    }

    fn place(&self, column: Column) -> Option<usize> {
        Column::ALL.into_iter().zip(self.places).find(|&(other, _)| other == column).and_then(|(_, place)| place)
    }

    /// How many columns there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The places, for reading many lines.
    pub(crate) fn places(&self) -> Places {
        let of = |column| self.place(column).unwrap_or(usize::MAX);
        Places {
            tenant: of(Column::Tenant),
            item: of(Column::Item),
            time: of(Column::Time),
            quantity: of(Column::Quantity),
            join: of(Column::Join),
            leave: of(Column::Leave),
            currency: of(Column::Currency),
        }
    }
}

/// Place of every column; one that no line has where the column is missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) tenant: usize,
    pub(crate) item: usize,
    pub(crate) time: usize,
    pub(crate) quantity: usize,
    pub(crate) join: usize,
    pub(crate) leave: usize,
    pub(crate) currency: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Columns, String> {
        Columns::of(&ByteRecord::from(text.split(',').collect::<Vec<_>>()))
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let columns = header("\u{feff}Quantity, time ,item,tenant").unwrap();
        let places = columns.places();
        assert_eq!((places.tenant, places.item, places.time, places.quantity), (3, 2, 1, 0));
        assert_eq!((places.join, columns.count()), (usize::MAX, 4));
        assert!(header("tenant,item,join,leave,currency").is_ok());
        assert!(header("tenant,item,time,quantity,join,leave").is_ok());
    }

    #[test]
    fn headers_that_cannot_be_meant_are_refused() {
        for (text, words) in [
            ("tenant,item", "time and quantity are missing"),
            ("tenant,time,quantity", "item is missing"),
            ("item,time,quantity", "tenant is missing"),
            ("tenant,item,quantity", "time is missing"),
            ("tenant,item,time,quantity,join", "leave is missing"),
            ("tenant,item,item,time,quantity", "item is there twice"),
            ("tenant,item,time,quantity,curency", "'curency'"),
            ("tenant;item;time;quantity", "not separated by commas"),
            ("", "''"),
        ] {
            let error = header(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
