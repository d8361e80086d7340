//! From an input of the document to the field of a handler struct: the same type, or a compile error at the field.

/// A field's type is the one that the document gives its input.
#[diagnostic::on_unimplemented(
    message = "the document makes this input `{Document}`, not `{Self}`",
    label = "`{Document}` in the document"
)]
pub trait Agrees<Document> {
    /// The value, unchanged.
    fn agreed(value: Document) -> Self;
}

impl<T> Agrees<T> for T {
    fn agreed(value: T) -> Self {
        value
    }
}

/// An input of the document's type.
#[derive(Debug)]
pub struct Stated<T>(T);

/// Takes an input. In two steps with [`Stated::field`], so that the compiler knows the document's type before it
/// looks at the field's.
pub fn stated<T>(input: T) -> Stated<T> {
    Stated(input)
}

impl<T> Stated<T> {
    /// The input as a field of type `F`, which is `T`.
    pub fn field<F: Agrees<T>>(self) -> F {
        F::agreed(self.0)
    }
}
