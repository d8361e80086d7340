//! ```yaml
//! { name: filter, in: query, style: deepObject, schema: .. }
//! ```
//! ```text
//! p::Param::query("filter").style(p::Style::DeepObject)
//! ```

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::values::count;
use crate::model::{ContentForm, Location, Style, Wire, WireKind};

/// What a parameter says beyond the defaults of its place.
pub(super) fn param(wire: &Wire, location: Location) -> TokenStream {
    let default = Style::default_of(location);
    let chain = chain(wire, default, default == Style::Form);
    let empty = wire.empty.then(|| quote!(.allow_empty()));
    quote!(#chain #empty)
}

/// How members of a form are written.
pub(super) fn fields(fields: &[(String, Wire)]) -> TokenStream {
    let fields = fields.iter().map(|(name, wire)| field(name, wire));
    quote!(&[#(#fields),*])
}

/// How one is written.
pub(super) fn field(name: &str, wire: &Wire) -> TokenStream {
    let chain = chain(wire, Style::Form, true);
    let types = &wire.types;
    let types = (!types.is_empty()).then(|| quote!(.types(&[#(#types),*])));
    let most = wire.most.map(|most| {
        let most = count(most);
        quote!(.most(#most))
    });
    let headers = (!wire.headers.is_empty()).then(|| {
        let headers = self::fields(&wire.headers);
        quote!(.headers(#headers))
    });
    let required = wire.required.then(|| quote!(.required()));
    quote!(p::Wire::text(#name)#chain #types #most #headers #required)
}

fn chain(wire: &Wire, style: Style, explode: bool) -> TokenStream {
    let name = |style: Style| {
        let word = style.as_str();
        let (first, rest) = word.split_at(1);
        format_ident!("{}{rest}", first.to_ascii_uppercase())
    };
    let restyled = wire.style != style;
    let styled = restyled.then(|| {
        let name = name(wire.style);
        quote!(.style(p::Style::#name))
    });
    // One text alone is written the same either way.
    let matters =
        !matches!(wire.kind, WireKind::Scalar | WireKind::Json | WireKind::Form(_) | WireKind::FreeForm(_));
    let said = if restyled { false } else { explode };
    let exploded = (matters && wire.explode != said).then(|| {
        let explode = wire.explode;
        quote!(.explode(#explode))
    });
    let kind = kind(wire);
    quote!(#styled #exploded #kind)
}

fn kind(wire: &Wire) -> Option<TokenStream> {
    let kind = match &wire.kind {
        WireKind::Scalar => return None,
        // read by a method of its own
        WireKind::List if wire.typed => return None,
        WireKind::List => quote!(List),
        WireKind::Object(members, open) => quote!(Object(&[#(#members),*], #open)),
        WireKind::Json => quote!(Json),
        WireKind::JsonList => quote!(JsonList),
        WireKind::File => quote!(File),
        WireKind::Files => quote!(Files),
        WireKind::Either => quote!(Either),
        WireKind::Parts(form) => {
            let declared = parts(form);
            quote!(Parts(p::DeclaredParts::#declared))
        }
        WireKind::Form(members) => {
            let fields = fields(members);
            quote!(Form(#fields))
        }
        WireKind::FreeForm(members) => {
            let fields = fields(members);
            quote!(FreeForm(#fields))
        }
    };
    Some(quote!(.kind(p::Kind::#kind)))
}

/// How parts are told that a part is.
fn parts(form: &ContentForm) -> TokenStream {
    match form {
        ContentForm::Parts(item) => {
            let item = field("", item);
            quote!(InOrder(&#item))
        }
        ContentForm::Places { fields, rest } => {
            let places = places(fields, *rest);
            quote!(ByPlace(#places))
        }
        ContentForm::Multipart(members) => {
            let fields = fields(members);
            quote!(Named(#fields))
        }
        _ => quote!(Named(&[])),
    }
}

/// How parts are written that are told by their places.
pub(super) fn places(members: &[(String, Wire)], rest: bool) -> TokenStream {
    let fields = fields(members);
    let made = if rest { quote!(and_others) } else { quote!(of_each) };
    quote!(p::Places::#made(#fields))
}
