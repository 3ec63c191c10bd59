"""Tuna's agent: the one open port of a replica.

Takes TLS with client certificates of the deployment's authority only. Paths under /agent are answered here and are for
the controller's certificate; every other path is relayed, byte for byte as it comes, to the engine on loopback. Watches
for interruption notices, and ends the machine when no controller has spoken for too long. Python 3.8, nothing else.
"""
import calendar
import collections
import errno
import hashlib
import hmac
import http.client
import json
import os
import re
import resource
import selectors
import shlex
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

ENV = os.environ
DIR, RUN = ENV["TUNA_DIR"], ENV["TUNA_RUN"]
ENGINE = ("127.0.0.1", int(ENV.get("TUNA_ENGINE_PORT", "8000")))
METADATA = urllib.parse.urlsplit(ENV.get("TUNA_METADATA", "http://169.254.169.254")).netloc
SHUTDOWN = shlex.split(ENV.get("TUNA_SHUTDOWN", "shutdown -h now"))
PLUG = shlex.split(ENV.get("TUNA_POWEROFF", "poweroff -ff"))  # when that does not do
ORPHAN = float(ENV.get("TUNA_ORPHAN_TIMEOUT", "900"))
CONTROLLER, ROUTER = "controller.tuna", "router.tuna"

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
CHUNK, HIGH, LOW = 64 << 10, 256 << 10, 64 << 10  # bytes read at once; waiting for a slow side: stop, go on
MOST_HEAD, MOST_BODY = 64 << 10, 64 << 10  # of a request head, and of a body for the agent
MOST_STRANGERS = 1024  # connections that have not said who they are; the oldest goes first
GREET, HEAD, IDLE, STUCK = 10, 10, 75, 120  # seconds: handshake, whole head, between requests, not taking what is sent
NOTICE = 120  # seconds that EC2 gives

REQUEST = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.1")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00\r\n]*)")  # in linear time
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class Clock:
    """Seconds since the machine booted, asleep or not; tests move it on by what a file says."""

    KIND = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def __init__(self):
        self.file, self.ahead = ENV.get("TUNA_TEST_CLOCK"), 0.0
        self.look()

    def look(self):
        if self.file:
            try:
                with open(self.file) as f:
                    self.ahead = float(f.read())
            except (OSError, ValueError):
                pass

    def now(self):
        return time.clock_gettime(self.KIND) + self.ahead

    def today(self):
        return time.time() + self.ahead


CLOCK = Clock()
LOGGED = collections.deque(maxlen=50)


def log(text):
    """At most 50 lines in ten seconds, so that nobody fills the disk by knocking."""
    now = CLOCK.now()
    if len(LOGGED) < 50 or now - LOGGED[0] > 10:
        LOGGED.append(now)
        print("tuna-agent: " + text.replace("\n", " ").encode("ascii", "backslashreplace").decode(), file=sys.stderr, flush=True)


def path(name):
    return os.path.join(DIR, name)


def read(file):
    try:
        with open(file) as f:
            return f.read()
    except OSError:
        return ""


def write(file, text):
    """Whole or not at all, and for nobody else to read."""
    new = file + ".new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    os.replace(new, file)


class Replica:
    """What is known of this machine. Written by the loop and by the watching threads, one value at a time."""

    def __init__(self):
        self.enrolled = os.path.exists(path("cert.pem"))
        self.token = read(path("token")).strip()
        self.draining = self.interruption = self.rebalance = None
        self.healthy = self.was_ready = 0.0
        self.gpus, self.until = [], 0.0
        self.ending = self.tried = 0.0  # when that began, and was tried last
        self.off, self.plug = None, False
        self.secrets = [line.partition("=")[2] for line in read(os.path.join(RUN, "engine.env")).splitlines()]
        self.contact, self.alive = self.last_contact(), 0.0
        self.keep()  # or an agent that fails again and again would wait forever
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(path("ca.pem"))
        self.context.num_tickets = 0  # every connection shows its certificate
        self.show("cert.pem" if self.enrolled else "self.pem")

    def show(self, certificate):
        """Handshakes from now on show this certificate."""
        self.context.load_cert_chain(path(certificate), path("key.pem"))

    @staticmethod
    def last_contact():
        """By the clock of this boot, over restarts of the agent; else by the date: a reboot is no sign of life."""
        now = CLOCK.now()
        for file, clock in ((os.path.join(RUN, "contact"), now), (path("contact"), CLOCK.today())):
            said = read(file)
            if re.fullmatch(r"\d+(\.\d+)?", said):
                return now - max(0.0, clock - float(said))
        return now

    def keep(self):
        self.kept = self.contact
        write(os.path.join(RUN, "contact"), repr(self.contact))
        write(path("contact"), repr(CLOCK.today() - CLOCK.now() + self.contact))

    def spoken(self):
        self.contact = CLOCK.now()
        if self.contact - self.kept > 5:
            self.keep()

    def drain(self, why):
        if not self.draining:
            self.draining = why
            log("draining: " + why)

    def end(self, why):
        """Powers off, which terminates. Again every 30 s; without ado once that failed or took two minutes."""
        now = CLOCK.now()
        failed = bool(self.tried) and (self.off is None or bool(self.off.poll()))
        plug = failed or bool(self.tried) and now - self.ending > 120
        if not self.tried or now - self.tried > 30 or plug and not self.plug:
            log("ending this machine: " + why)
            self.ending, self.tried, self.plug = self.ending or now, now, plug
            try:
                self.off = subprocess.Popen(PLUG if plug else SHUTDOWN, stdin=subprocess.DEVNULL)
            except OSError:
                self.off = None

    def phase(self):
        """How far it has come, and a word more, in which no secret is left."""
        word, _, more = read(os.path.join(RUN, "phase")).strip().partition(" ")
        now = CLOCK.now()
        if word in ("weights", "engine") and self.healthy and now - self.healthy < 10:
            self.was_ready = now
            return "ready", ""
        if self.was_ready and word != "failed":
            return "engine", "the engine has not answered for %d s" % (now - self.was_ready)
        for secret in self.secrets:
            more = more.replace(secret, "***") if secret else more
        return word or "booted", more[-600:]

    def look(self, in_flight, since):
        phase, detail = self.phase()
        return {"phase": phase, "detail": detail, "enrolled": self.enrolled,
                "secrets": os.path.exists(os.path.join(RUN, "engine.env")), "draining": self.draining or "",
                "inFlight": in_flight, "interruption": self.interruption, "rebalance": self.rebalance,
                "gpus": self.gpus, "sinceContact": since, "uptime": CLOCK.now()}


class Framing:
    """Where a message's body ends."""

    def __init__(self, length=0, chunked=False, to_the_end=False):
        self.left, self.chunked, self.to_the_end = length, chunked, to_the_end
        self.line, self.trailer = b"", False
        self.done = not (length or chunked or to_the_end)

    def feed(self, data):
        """How many of these bytes belong to it; ValueError if they cannot."""
        if self.to_the_end:
            return len(data)
        at, size = 0, len(data)
        while at < size and not self.done:
            if self.left:
                take = min(self.left, size - at)
                at, self.left = at + take, self.left - take
                self.done = not (self.left or self.chunked)
                continue
            end = data.find(b"\n", at)
            self.line += data[at:end + 1 if end >= 0 else size]
            if len(self.line) > 4096:
                raise ValueError("line of a chunked body")
            if end < 0:
                return size
            at, line, self.line = end + 1, self.line.strip(), b""
            if self.trailer:
                self.done = not line
            else:
                self.left = int(re.fullmatch(rb"([0-9a-fA-F]{1,12})(;.*)?", line).group(1), 16)
                self.trailer = not self.left
                self.left += 2 if self.left else 0
        return at


def framing(fields):
    """The framing that header fields tell of; None if of none. ValueError if they could be understood in two ways."""
    found = [(n.lower(), v) for n, v in fields]
    lengths = {v for n, v in found if n == b"content-length"}
    codings = [v.lower() for n, v in found if n == b"transfer-encoding"]
    if codings:
        if lengths or codings != [b"chunked"]:
            raise ValueError("framing")
        return Framing(chunked=True)
    if lengths:
        if len(lengths) > 1 or not re.fullmatch(rb"\d{1,15}", next(iter(lengths))):
            raise ValueError("framing")
        return Framing(int(next(iter(lengths))))
    return None


def fields(lines):
    """Header fields; AttributeError if a line is none."""
    return [(name, value.strip(b" \t")) for name, value in (FIELD.fullmatch(line).groups() for line in lines)]


class Peer:
    """One socket that never blocks. What it is to be sent waits here; who sends too much is not read meanwhile."""

    def __init__(self, sock):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.out, self.size, self.mask = sock, collections.deque(), 0, 0
        self.reading, self.writing, self.last, self.closed, self.broken = True, False, False, False, False
        self.moved = CLOCK.now()

    def want(self):
        mask = 0 if self.closed else (READ if self.reading else 0) | (WRITE if self.out or self.writing else 0)
        if mask != self.mask:
            if not self.mask:
                SELECTOR.register(self.sock, mask, self)
            elif mask:
                SELECTOR.modify(self.sock, mask, self)
            else:
                SELECTOR.unregister(self.sock)
            self.mask = mask

    def send(self, data):
        if self.closed or not data:
            return
        self.out.append(data)
        self.size += len(data)
        if len(self.out) == 1:
            self.moved = CLOCK.now()
            self.flush()
        else:
            self.want()

    def flush(self):
        """The same bytes are tried again until they are gone, as TLS demands."""
        try:
            while self.out:
                sent = self.sock.send(self.out[0])
                self.size -= sent
                self.moved = CLOCK.now()
                if sent == len(self.out[0]):
                    self.out.popleft()
                else:
                    self.out[0] = memoryview(self.out[0])[sent:]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            return self.lost()
        if self.last and not self.out:
            return self.close()
        self.want()
        if self.size < LOW:
            self.drained()

    def ready(self, mask):
        if mask & WRITE and self.out:
            self.flush()
        if mask & READ and self.reading and not self.closed:
            try:
                data = self.sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                self.broken = True  # that is no end
                data = b""
            if data:
                self.got(data)
            else:
                self.lost()

    def pause(self, on):
        if self.reading == on:
            self.reading = not on
            self.want()

    def close(self):
        if not self.closed:
            self.closed = True
            self.want()
            try:
                if isinstance(self.sock, ssl.SSLSocket):
                    self.sock.unwrap()  # says that this is the end, and waits for nothing
            except (OSError, ValueError):
                pass
            self.sock.close()
            self.gone()

    def lost(self):
        self.close()

    def gone(self):
        pass


class Engine(Peer):
    """One connection to the engine for one request; closing it cancels what the engine does."""

    def __init__(self, client, method, head):
        super().__init__(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self.client, self.method, self.writing, self.head, self.body = client, method, True, b"", None
        self.refused = self.sock.connect_ex(ENGINE) not in (0, errno.EINPROGRESS)
        self.out.append(head)
        self.size = len(head)
        self.want()

    def ready(self, mask):
        if self.writing:
            if self.refused or self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self.lost()
            self.writing = False
            self.flush()
        else:
            super().ready(mask)

    def got(self, data):
        if self.body is None:
            data = self.head + data
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                self.head = data
                return self.lost() if len(data) > MOST_HEAD else None
            head, data, self.head = data[:end], data[end:], b""
            lines = head[:-4].split(b"\r\n")
            status = int(STATUS.match(lines[0]).group(1))
            if status >= 200:  # or an interim one; another head follows
                bare = self.method == b"HEAD" or status in (204, 304)
                self.body = Framing() if bare else framing(fields(lines[1:])) or Framing(to_the_end=True)
                if self.body.to_the_end:  # in chunks, so that an end that comes too early is seen as one
                    head = b"HTTP/1.1" + head[8:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
            self.client.answered = True
            self.client.send(head)
            if status < 200:
                return self.got(data) if data else None
        if data:
            data = data[:self.body.feed(data)]
            self.client.send(b"%x\r\n%b\r\n" % (len(data), data) if self.body.to_the_end else data)
        if self.body.done:
            self.close()
            self.client.finished(True)
        elif self.client.size > HIGH:
            self.pause(True)

    def drained(self):
        self.client.pause(False)

    def lost(self):
        if self.client.engine is not self:
            return self.close()
        whole = self.body is not None and self.body.to_the_end and not self.broken
        self.close()
        if not self.client.answered:
            if self.writing:
                self.client.refuse(503, "engine-not-ready", "the engine of this replica does not run yet, or no more")
            else:
                self.client.refuse(502, "engine-lost", "the engine of this replica hung up", "")
        else:
            if whole:
                self.client.send(b"0\r\n\r\n")
            self.client.finished(whole)


class Client(Peer):
    """One connection from the host: who it is, then one request after the other."""

    def __init__(self, sock, address):
        super().__init__(sock)
        self.name, self.role, self.since = address, None, CLOCK.now()
        self.head, self.body, self.engine, self.answered = b"", None, None, False
        self.agent, self.keep = None, True  # a request for the agent: method, path, body so far
        self.refused = False
        CLIENTS.add(self)

    def ready(self, mask):
        if self.role is None:
            self.greet()
        else:
            super().ready(mask)

    def greet(self):
        try:
            self.writing = False
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            return self.want()
        except ssl.SSLWantWriteError:
            self.writing = True
            return self.want()
        except (OSError, ValueError) as e:
            self.log("refused: " + (getattr(e, "verify_message", None) or getattr(e, "reason", None) or type(e).__name__))
            return self.close()
        names = [v for k, v in (self.sock.getpeercert() or {}).get("subjectAltName", ()) if k == "DNS"]
        self.role = next((n for n in names if n in (CONTROLLER, ROUTER)), "")
        self.since = CLOCK.now()
        self.want()
        if not self.role:
            self.log("refused: a certificate of no caller")
            self.close()

    def log(self, text):
        log(self.name + " " + text)

    def got(self, data):
        if self.last:
            return  # nobody answers any more
        try:
            data = self.take(data)
        except (ValueError, AttributeError):
            self.log("refused: malformed body")
            return self.close()
        if data and not self.refused:
            self.since = self.since if self.head or self.busy() else CLOCK.now()
            self.head += data
        self.go_on()

    def take(self, data):
        """Hands on what belongs to the body of the current request, and returns the rest."""
        if self.body is None or self.body.done:
            return data
        taken = self.body.feed(data)
        if self.engine:
            self.engine.send(data[:taken])
        elif self.agent:
            self.agent[2] += data[:taken]
        return data[taken:]

    def busy(self):
        return self.engine is not None or self.agent is not None

    def go_on(self):
        """Answers or relays what has come whole; what comes behind a request waits until that is answered."""
        while not self.closed and not self.last:
            if self.refused:
                return self.shut() if self.body.done else None
            if self.body is not None and self.body.done and self.agent:
                agent, self.agent = self.agent, None
                self.answer(*AGENT.answer(self, *agent))
                if not self.keep:
                    return self.shut()
            if self.busy() or (self.body is not None and not self.body.done):
                self.pause(len(self.head) > MOST_HEAD or (self.engine is not None and self.engine.size > HIGH))
                return
            end = self.head.find(b"\r\n\r\n") + 4
            if end < 4:
                if len(self.head) > MOST_HEAD:
                    self.reject(431, "oversized head")
                return
            head, self.head = self.head[:end], self.head[end:]
            self.since = CLOCK.now()
            if end > MOST_HEAD:
                return self.reject(431, "oversized head")
            try:
                self.request(head)
                self.head = self.take(self.head)
            except (ValueError, AttributeError):
                self.reject(400, "malformed request")

    def request(self, head):
        lines = head[:-4].split(b"\r\n")
        method, target = REQUEST.fullmatch(lines[0]).groups()
        found = fields(lines[1:])
        self.body = framing(found) or Framing()
        if any(n.lower() == b"upgrade" for n, _ in found):
            raise ValueError("upgrade")
        self.keep = not any(n.lower() == b"connection" and b"close" in v.lower() for n, v in found)
        self.answered = False
        where = target.partition(b"?")[0].decode()
        if where == "/agent" or where.startswith("/agent/"):
            if self.role != CONTROLLER:
                return self.reject(403, where + " with the certificate of " + self.role)
            if self.body.chunked or self.body.left > MOST_BODY:
                return self.reject(413, "oversized body for " + where)
            self.agent = [method.decode(), where, b""]
        elif REPLICA.draining:
            self.refuse(503, "draining", "this replica takes no new requests")
        else:
            self.engine = Engine(self, method, head)

    def finished(self, whole):
        """The engine's answer has been relayed, or that has come to an end."""
        self.engine = None
        if whole and self.body.done and self.keep:
            self.since = CLOCK.now()
            self.pause(False)
            self.go_on()
        else:
            self.shut()

    def shut(self):
        """Closes once everything is sent."""
        self.last = True
        if not self.closed and not self.out:
            self.close()

    def answer(self, status, value, more=""):
        body = json.dumps(value).encode()
        self.send(("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" % (
            status, http.client.responses.get(status, ""), len(body), more)).encode() + body)

    def refuse(self, status, word, text, more="Retry-After: 5\r\n"):
        """In the form of the engine's own errors; the word tells the router what has happened to the request. Hung up is
        once that has come whole: the answer would be lost if it overtook what is still being sent."""
        self.answer(status, {"error": {"message": text, "type": "tuna-replica-" + word, "code": status}},
                    more + "X-Tuna-Replica: %s\r\nConnection: close\r\n" % word)
        self.engine, self.refused, self.since = None, True, CLOCK.now()
        self.pause(False)
        self.go_on()

    def reject(self, status, why):
        """An answer, and no further word."""
        self.log("refused: " + why)
        self.answer(status, {"error": http.client.responses.get(status, "refused")}, "Connection: close\r\n")
        self.shut()

    def drained(self):
        if self.engine:
            self.engine.pause(False)

    def gone(self):
        CLIENTS.discard(self)
        if self.engine:
            engine, self.engine = self.engine, None
            engine.close()

    def sweep(self, now):
        waited = now - self.since
        if self.role is None:
            if waited > GREET:
                self.log("refused: no handshake in time")
                self.close()
        elif self.out and now - self.moved > STUCK:
            self.close()
        elif self.engine and self.engine.out and now - self.engine.moved > STUCK:
            self.engine.lost()
        elif self.out:
            pass
        elif self.refused and waited > HEAD:
            self.close()
        elif not self.engine and (self.head or self.agent) and waited > HEAD:
            self.reject(408, "slow request")
        elif not self.engine and waited > IDLE:
            self.close()


class Agent:
    """The controller's questions. Every one of them is a sign of life."""

    def answer(self, client, method, where, body):
        since = CLOCK.now() - REPLICA.contact
        REPLICA.spoken()
        try:
            value = json.loads(body) if body else {}
            if (method, where) == ("GET", "/agent/look"):
                return 200, REPLICA.look(sum(1 for c in CLIENTS if c.engine), since)
            if (method, where) == ("POST", "/agent/enrol"):
                return self.enrol(client, bytes.fromhex(value["nonce"]))
            if (method, where) == ("PUT", "/agent/certificate"):
                return self.certificate(client, value["certificate"])
            if (method, where) == ("PUT", "/agent/secrets"):
                return self.secrets(value["environment"])
        except (ValueError, KeyError, TypeError, AttributeError):
            client.log("refused: malformed " + where)
            return 400, {"error": "malformed"}
        return 404, {"error": "unknown"}

    def refused(self, client):
        client.log("refused: enrolment of a replica that is enrolled")
        return 409, {"error": "enrolled"}

    def enrol(self, client, nonce):
        """Proves that whoever ends this connection knows the token that the machine was launched with."""
        if REPLICA.enrolled or not REPLICA.token:
            return self.refused(client)
        if not 16 <= len(nonce) <= 64:
            raise ValueError("nonce")
        shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(read(path("self.pem")))).digest()
        return 200, {"proof": hmac.new(REPLICA.token.encode(), b"tuna-enrol-1" + nonce + shown, "sha256").hexdigest()}

    def certificate(self, client, pem):
        """From here on the deployment's authority vouches for this machine, and the token is worth nothing."""
        if REPLICA.enrolled:
            return self.refused(client)
        write(path("new.pem"), pem)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path("new.pem"), path("key.pem"))
        except OSError:
            client.log("refused: a certificate that is not for this machine's key")
            return 400, {"error": "certificate"}
        os.replace(path("new.pem"), path("cert.pem"))
        REPLICA.show("cert.pem")
        REPLICA.enrolled, REPLICA.token = True, ""
        for name in ("token", "self.pem"):
            os.remove(path(name))
        log("enrolled")
        return 200, {}

    def secrets(self, environment):
        if not REPLICA.enrolled:
            return 409, {"error": "not enrolled"}
        lines = []
        for name, value in sorted(environment.items()):
            if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) or re.search("[\0\r\n]", value):
                raise ValueError("environment")
            lines.append(name + "=" + value)
        REPLICA.secrets = list(environment.values())
        write(os.path.join(RUN, "engine.env"), "".join(line + "\n" for line in lines))
        return 200, {}


class Metadata:
    """Asks the machine's metadata service, by its second version. Every call ends within half a second."""

    def __init__(self):
        self.token, self.due = "", 0.0

    @staticmethod
    def call(method, where, headers):
        connection = http.client.HTTPConnection(METADATA, timeout=0.5)
        try:
            connection.request(method, where, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(4096).decode()
        finally:
            connection.close()

    def renew(self):
        """Hours before the token ends, or once it is refused; whoever looks for notices goes on with the old one meanwhile."""
        if CLOCK.now() >= self.due:
            status, token = self.call("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
            if status != 200:
                raise OSError("HTTP %d" % status)
            self.token, self.due = token, CLOCK.now() + 300

    def get(self, where):
        """None if there is nothing."""
        status, text = self.call("GET", where, {"X-aws-ec2-metadata-token": self.token}) if self.token else (404, "")
        if status == 401:
            self.due = 0.0
        elif status not in (200, 404):
            raise OSError("HTTP %d" % status)
        return json.loads(text) if status == 200 else None

    def notice(self):
        found = self.get("/latest/meta-data/spot/instance-action")
        told = {"action": str(found["action"]), "time": str(found["time"])} if found else None
        if told and told != REPLICA.interruption:
            REPLICA.until = CLOCK.now() + left(told["time"]) + 5
            REPLICA.interruption = told
            REPLICA.drain("the cloud takes this machine at " + told["time"])

    def advice(self):
        found = self.get("/latest/meta-data/events/recommendations/rebalance")
        if found and not REPLICA.rebalance:
            REPLICA.rebalance = str(found["noticeTime"])
            log("the cloud recommends to leave this machine")


def left(instant):
    """Seconds until a UTC instant; where the clock cannot be right, what EC2 gives."""
    try:
        seconds = calendar.timegm(time.strptime(instant[:19], "%Y-%m-%dT%H:%M:%S")) - CLOCK.today()
    except ValueError:
        return NOTICE
    return seconds if 0 <= seconds <= 600 else NOTICE


def health():
    connection = http.client.HTTPConnection(*ENGINE, timeout=5)
    try:
        connection.request("GET", "/health")
        if connection.getresponse().status == 200:
            REPLICA.healthy = CLOCK.now()
    finally:
        connection.close()


def gpus():
    told = subprocess.run(
        ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=True).stdout
    REPLICA.gpus = [dict(zip(("utilization", "usedMib", "totalMib"), map(int, line.split(","))))
                    for line in told.decode().splitlines()]


def every(seconds, work):
    """On a thread of its own, whatever goes wrong; the first failure in a row is told."""
    def run():
        failing = False
        while True:
            try:
                work()
                failing = False
            except Exception as e:  # the next round may do better
                if not failing and work is not health:
                    log("%s: %s" % (getattr(work, "__qualname__", "work"), type(e).__name__))
                failing = True
            time.sleep(seconds)
    threading.Thread(target=run, daemon=True).start()


def sweep():
    CLOCK.look()
    now = CLOCK.now()
    for client in list(CLIENTS):
        client.sweep(now)
    if os.path.exists(path("needed")):
        REPLICA.spoken()  # a router that looks after something goes on without its host
    if now - REPLICA.contact > ORPHAN:
        REPLICA.end("no controller has spoken for %d s" % (now - REPLICA.contact))
    elif REPLICA.until and now > REPLICA.until:
        REPLICA.end("the cloud's notice is over")
    if now - REPLICA.alive > 10:
        write(os.path.join(RUN, "alive"), "")  # boot.sh ends the machine when this grows old
        REPLICA.alive = now


def accept(listening):
    for _ in range(64):
        try:
            sock, address = listening.accept()
        except OSError:
            return
        strangers = [c for c in CLIENTS if c.role is None] if len(CLIENTS) >= MOST_STRANGERS else []
        if len(strangers) >= MOST_STRANGERS:
            oldest = min(strangers, key=lambda c: c.since)
            oldest.log("refused: too many that do not say who they are")
            oldest.close()
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setblocking(False)
            wrapped = REPLICA.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            Client(wrapped, address[0].replace("::ffff:", "")).want()
        except (OSError, ValueError):
            sock.close()  # it has hung up already


def listen():
    """Over both versions of IP, unless told which address to take."""
    host, port = ENV.get("TUNA_HOST", ""), int(ENV.get("TUNA_PORT", "8443"))
    if not host and socket.has_dualstack_ipv6():
        try:
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        except OSError:
            pass  # there is none on this machine
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # two sockets for each request
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listening = listen()
    listening.setblocking(False)
    SELECTOR.register(listening, READ, None)
    log("listening at port %d, %s" % (listening.getsockname()[1], "enrolled" if REPLICA.enrolled else "not enrolled"))
    metadata = Metadata()
    every(0.2, metadata.renew)
    every(0.5, metadata.notice)  # so that a call that fails, or a token refused, is made up for within two seconds
    every(1, metadata.advice)
    every(2, health)
    every(10, gpus)
    due = 0.0
    while True:
        for key, mask in SELECTOR.select(0.25):
            if key.data is None:
                accept(listening)
            elif not key.data.closed:
                try:
                    key.data.ready(mask)
                except Exception as e:  # whatever one connection does, the others go on
                    log("a connection failed: " + type(e).__name__)
                    key.data.lost()
        if time.monotonic() >= due:
            due = time.monotonic() + 0.25
            try:
                sweep()
            except Exception as e:  # without a whole sweep the machine is not alive, see boot.sh
                log("a sweep failed: " + type(e).__name__)


SELECTOR, CLIENTS = selectors.DefaultSelector(), set()
REPLICA, AGENT = Replica(), Agent()
if __name__ == "__main__":
    main()
