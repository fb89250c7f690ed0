"""The names of Python's library that Windows does not have (from its documentation: "Availability: Unix")."""


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES = names("crypt fcntl grp nis ossaudiodev posix pty pwd readline resource spwd syslog termios tty curses")
NAMES = {
    "os": names(
        """
        O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH
        O_RSYNC O_SYNC O_TMPFILE PRIO_PGRP PRIO_PROCESS PRIO_USER RTLD_GLOBAL RTLD_LAZY RTLD_LOCAL RTLD_NOW
        WCONTINUED WCOREDUMP WEXITSTATUS WIFCONTINUED WIFEXITED WIFSIGNALED WIFSTOPPED WNOHANG WSTOPSIG WTERMSIG
        WUNTRACED chown chroot confstr copy_file_range ctermid environb eventfd fchdir fchmod fchown fdatasync fork
        forkpty fpathconf fstatvfs fwalk get_blocking getegid getenvb geteuid getgid getgrouplist getgroups
        getloadavg getpgid getpgrp getpriority getrandom getresgid getresuid getsid getuid getxattr initgroups
        killpg lchown listxattr lockf login_tty major makedev memfd_create minor mkfifo mknod nice openpty pathconf
        pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv pwrite pwritev readv
        register_at_fork removexattr sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity
        sched_setparam sched_setscheduler sched_yield sendfile set_blocking setegid seteuid setgid setgroups setpgid
        setpgrp setpriority setregid setresgid setresuid setreuid setsid setuid setxattr splice statvfs sync sysconf
        tcgetpgrp tcsetpgrp ttyname uname unshare wait wait3 wait4 waitid waitstatus_to_exitcode writev
        """
    ),
    "signal": names(
        """
        ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGIOT SIGKILL
        SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMIN SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU
        SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm getitimer
        pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigtimedwait sigwait
        sigwaitinfo
        """
    ),
    "time": names("clock_getres clock_gettime clock_gettime_ns clock_settime pthread_getcpuclockid tzset"),
    "socket": names("AF_UNIX SO_REUSEPORT recv_fds send_fds sethostname"),
    "select": names("epoll poll"),
    "asyncio": names("get_child_watcher open_unix_connection start_unix_server"),
}
OPTIONS = names("preexec_fn pass_fds dir_fd src_dir_fd dst_dir_fd")  # of functions
