//! What a person who starts the bank reads: commands to try, what is allowed beside what is refused.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use bank::keys::Keys;
use bank::store::{ALICE, BOB};

#[expect(clippy::print_stdout, reason = "this is the example's user interface")]
pub(crate) fn show(
    address: SocketAddr,
    health: SocketAddr,
    data: &Path,
    keys: &Keys,
) -> Result<(), Box<dyn Error>> {
    let alice = keys.token("alice", &["accounts:read", "transfers:write", "payouts:write"])?;
    let reader = keys.token("alice", &["accounts:read"])?;
    let admin = keys.token("root", &["accounts:read", "accounts:admin"])?;
    // Shown here and never again: the file has its hash.
    let key = keys.new_partner.as_ref().map_or("'as the first start showed it'", |key| key.expose().as_str());

    println!("The bank is open at http://{address}; its books and keys are in {}.", data.display());
    println!("The tokens are good for an hour and on this machine only. In another shell, set");
    println!(
        "\nBANK=http://{address}\nHEALTH=http://{health}\nALICE={alice}\nREADER={reader}\nADMIN={admin}\nKEY={key}"
    );
    println!("\nand try");
    for (about, command) in COMMANDS {
        let command = command.replace("{alice}", &ALICE.to_string()).replace("{bob}", &BOB.to_string());
        println!("\n# {about}\n{command}");
    }
    if keys.new_partner.is_none() {
        println!("\n(For a new partner's key, remove partners.keys and start again.)");
    }
    println!("\nCtrl-C closes the bank.");
    Ok(())
}

const COMMANDS: [(&str, &str); 15] = [
    ("200: public, for a reason that the document gives", "curl -i $BANK/status"),
    ("200: ready, for who runs it and for balancers", "curl -i $HEALTH/readyz"),
    ("200: alice's own accounts", r#"curl -i $BANK/accounts -H "Authorization: Bearer $ALICE""#),
    ("401: no token", "curl -i $BANK/accounts"),
    (
        "404: bob's account, which to alice looks like none",
        r#"curl -i $BANK/accounts/{bob} -H "Authorization: Bearer $ALICE""#,
    ),
    (
        "201: a transfer",
        r#"curl -i $BANK/accounts/{alice}/transfers -H "Authorization: Bearer $ALICE" --json '{"to":"{bob}","amount":1250,"note":"lunch"}'"#,
    ),
    (
        "201: a transfer under a key",
        r#"curl -i $BANK/accounts/{alice}/transfers -H "Authorization: Bearer $ALICE" -H "Idempotency-Key: 5f0c7e1a-rent-of-june-9b2d" --json '{"to":"{bob}","amount":700}'"#,
    ),
    (
        "201: sent again it gets the first answer (`idempotent-replayed`), and no money moves",
        r#"curl -i $BANK/accounts/{alice}/transfers -H "Authorization: Bearer $ALICE" -H "Idempotency-Key: 5f0c7e1a-rent-of-june-9b2d" --json '{"to":"{bob}","amount":700}'"#,
    ),
    (
        "422: every fault of the body at once",
        r#"curl -i $BANK/accounts/{alice}/transfers -H "Authorization: Bearer $ALICE" --json '{"to":"bob","amount":0,"tip":5}'"#,
    ),
    (
        "403: a token that may not move money",
        r#"curl -i $BANK/accounts/{alice}/transfers -H "Authorization: Bearer $READER" --json '{"to":"{bob}","amount":1250}'"#,
    ),
    (
        "200: a page, with a sealed cursor to the next one",
        r#"curl -i "$BANK/accounts/{alice}/transfers?limit=2" -H "Authorization: Bearer $ALICE""#,
    ),
    ("200: a partner's key", r#"curl -i $BANK/partner/rates -H "X-API-Key: $KEY""#),
    (
        "401: a payout needs the partner's key and the customer's token",
        r#"curl -i $BANK/partner/accounts/{alice}/payouts -H "X-API-Key: $KEY" --json '{"iban":"DE02120300000000202051","amount":700}'"#,
    ),
    (
        "201: both",
        r#"curl -i $BANK/partner/accounts/{alice}/payouts -H "X-API-Key: $KEY" -H "Authorization: Bearer $ALICE" --json '{"iban":"DE02120300000000202051","amount":700}'"#,
    ),
    (
        "200: an administrator freezes bob's account",
        r#"curl -i -X PUT $BANK/admin/accounts/{bob}/freeze -H "Authorization: Bearer $ADMIN" --json '{"frozen":true,"reason":"lost card"}'"#,
    ),
];
