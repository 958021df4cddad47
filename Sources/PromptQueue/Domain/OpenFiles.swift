/// What to do when no more files can be opened (EMFILE, ENFILE): one text for whoever meets it.
package enum OpenFiles {
    package static let areTooMany = "too many files are open: raise LimitNOFILE= of the unit, or ulimit -n"
}
