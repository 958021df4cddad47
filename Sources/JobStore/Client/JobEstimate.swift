/// When what a job was estimated to cost still holds.
enum JobEstimate {
    /// A condition on `jobs`: the estimate is by the catalogue's price, and neither the operator nor the provider has said
    /// anything of the model since.
    static let isFirm = """
        (estimate_basis IS 'listed'
            AND NOT EXISTS (SELECT 1 FROM prices WHERE prices.model = jobs.model)
            AND NOT EXISTS (SELECT 1 FROM provider_models AS p WHERE p.model = jobs.model AND p.read_at > jobs.created_at))
        """
}
