import PromptQueue
import Testing

@Suite struct DatabasePlaceTests {
    @Test(arguments: [
        "postgresql://db/promptd", "postgres://u@db", "postgresql:///?service=queue", "service=queue",
        "host=db dbname=promptd",
        " dbname = promptd", "user=promptd host=db",
    ])
    func `an address is one of PostgreSQL`(text: String) {
        #expect(DatabasePlace(text) == .postgres(text))
        #expect(DatabasePlace(text).path == nil)
    }

    @Test(arguments: [
        "/var/lib/promptd/promptd.sqlite", "promptd.sqlite", "./service=queue", "postgresql", "postgresql:/db", "a b=c",
        "mode=ro.db",
        "", "=", "file:promptd.sqlite",
    ])
    func `everything else is a file`(text: String) {
        #expect(DatabasePlace(text) == .file(text))
        #expect("\(DatabasePlace(text))" == text)
        #expect(!DatabasePlace(text).holdsPassword)
    }

    @Test(arguments: [
        ("postgresql://promptd@db.example.org:5433/queue?sslmode=verify-full", nil),
        ("postgresql://a:fox@db/queue", "postgresql://a:…@db/queue"),
        ("postgresql://a:f@x@db/queue", "postgresql://a:…@db/queue"),
        ("postgresql://a:f?o&x@db,db2:6432/queue", "postgresql://a:…@db,db2:6432/queue"),
        ("postgresql://db/queue?user=a&password=fox", "postgresql://db/queue?user=a&password=…"),
        ("postgresql://db/queue?pass%77ord=fox&fox", "postgresql://db/queue?pass%77ord=…&…"),
        ("host=db  dbname=queue", "host=db dbname=queue"),
        ("host=db password=fox user=a", "host=db password=… user=a"),
        (#"host=db password = 'f o\'x' user=a"#, "host=db password=… user=a"),
        (#"host=db password=f\ o\'x user=a"#, "host=db password=… user=a"),
        ("host=db password='fo x", "host=db password=…"),
        ("host=db password=fo x user=a", "host=db password=… …"),
        ("host=db sslkey=/fox options=-cfox=1", "host=db sslkey=… options=…"),
        ("service=queue", nil),
    ])
    func `what may be secret is not shown`(text: String, shown: String?) {
        #expect("\(DatabasePlace(text))" == shown ?? text)
    }

    @Test(arguments: [
        "postgresql://a:fox@db/queue", "postgresql://a:f?x@db", "postgresql://db/queue?password=fox",
        "host=db password=fox",
        "postgresql:///queue?sslpassword=fox",
    ])
    func `a password in the address is noticed`(text: String) { #expect(DatabasePlace(text).holdsPassword) }

    @Test(arguments: [
        "postgresql://a@db:5432/queue", "postgresql://db:5432/queue", "postgresql://a:@db", "host=db passfile=/a",
        "postgresql://db:5432/queue?host=@abstract",
    ])
    func `where there is none, none is noticed`(text: String) {
        #expect(!DatabasePlace(text).holdsPassword)
    }
}
