extension AccountRecord {
    package var object: JSONObject {
        [
            "since": .string(since),
            "compared_at": .string(comparedAt),
            "account_spend_credits": JSONValue(accountSpend),
            "ledger_spend_credits": JSONValue(ledgerSpend),
            "top_up_credits": JSONValue(topUps),
            "unexplained_credits": JSONValue(unexplained),
            "estimated_credits": JSONValue(estimated),
            "reserved_for_unknown_credits": JSONValue(reservedForUnknown),
            "given_up_credits": JSONValue(givenUp),
        ]
    }
}
