import Testing

@testable import JobStore

struct MembershipTests {
    private func membership(_ change: (inout Membership) -> Void = { _ in }) -> Membership {
        var membership = Membership(user: "fox", owner: "promptd", group: "promptd")
        membership.isGroupWritable = true
        change(&membership)
        return membership
    }

    @Test func `a stranger is told to be added to the group that may enqueue`() {
        let advice = membership().advice
        #expect(advice.hasSuffix("the group promptd: sudo adduser fox promptd, then log in again"))
    }

    @Test func `who was added to the group since is told to log in again`() {
        #expect(membership { $0.isMember = true }.advice.hasSuffix("log out and in again"))
    }

    @Test func `where no group helps, only the owner may`() {
        for change: (inout Membership) -> Void in [
            { $0.isGroupWritable = false }, { $0.isInSession = true }, { $0.group = "root" }, { $0.group = nil },
        ] {
            #expect(membership(change).advice == "run this as its owner, promptd")
        }
    }

    @Test func `the directory's owner and group are found out`() {
        let found = Membership(of: "/etc/none.sqlite")
        #expect(found.owner == "root" && found.group == "root")
        #expect(!found.isGroupWritable)
    }
}
