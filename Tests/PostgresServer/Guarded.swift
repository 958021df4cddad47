/// Programs that end with the tests, however the tests end: a shell reads an input that comes from the tests, and acts when it ends.
enum Guarded {
    /// Runs a program as a child of the shell's, and ends with it.
    ///
    /// - Parameter signal: what ends the program when the tests have ended.
    static func program(_ command: [String], signal: String) -> [String] {
        let script = """
            trap '' INT HUP TERM
            signal=$1
            shift
            exec 3<&0 </dev/null
            "$@" 3<&- &
            child=$!
            { while read -r line <&3; do :; done; kill -s "$signal" "$child"; } 2>/dev/null &
            watch=$!
            exec 3<&-
            wait "$child"
            status=$?
            kill -s KILL "$watch" 2>/dev/null
            exit "$status"
            """
        return ["/bin/sh", "-c", script, "sh", signal] + command
    }

    /// Removes a server's directory when the tests have ended, and the server with them.
    static func removal(of directory: String) -> [String] {
        let script = """
            trap '' INT HUP TERM
            while read -r line; do :; done
            for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
                [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || break
                sleep 0.25
            done
            rm -rf "$1"
            """
        return ["/bin/sh", "-c", script, "sh", directory]
    }
}
