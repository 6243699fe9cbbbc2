import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogOptions } from '../../../src/engine/logs/log-info.ts'
import { checkLogOptions } from '../../../src/engine/logs/log-options.ts'
import { Failure } from '../../../src/lib/failure.ts'

/** What is wrong with options; "" when nothing is. */
function wrong(driver: string, options: LogOptions): string {
  try {
    checkLogOptions(driver, options)
    return ''
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'invalid')
    return error.message
  }
}

/** The messages are those of a Docker Engine 28, which has some of them only when the container starts. */
const answers: readonly (readonly [driver: string, options: LogOptions, message: string])[] = [
  ['json-file', { foo: '1' }, "unknown log opt 'foo' for json-file log driver"],
  ['json-file', { 'max-size': 'zz' }, "invalid size: 'zz'"],
  ['json-file', { 'max-size': '' }, "invalid size: ''"],
  ['json-file', { 'max-size': '-5' }, "invalid size: '-5'"],
  ['json-file', { 'max-size': '0' }, 'max-size must be a positive number'],
  ['json-file', { 'max-size': '-1' }, ''],
  ['json-file', { 'max-size': '10.5m' }, ''],
  ['json-file', { 'max-size': '10MiB' }, ''],
  ['json-file', { 'max-size': '1e3' }, ''],
  ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
  ['json-file', { 'max-file': '-3', 'max-size': '1k' }, 'max-file cannot be less than 1'],
  ['json-file', { 'max-file': 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
  ['json-file', { 'max-file': '' }, 'strconv.Atoi: parsing "": invalid syntax'],
  ['json-file', { 'max-file': '0x3' }, 'strconv.Atoi: parsing "0x3": invalid syntax'],
  [
    'json-file',
    { 'max-file': '99999999999999999999' },
    'strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
  ['json-file', { 'max-file': '3' }, ''],
  ['json-file', { 'max-file': '+3' }, ''],
  ['json-file', { compress: 'true' }, 'compress cannot be true when max-file is less than 2 or max-size is not set'],
  [
    'json-file',
    { compress: 'true', 'max-size': '1m' },
    'compress cannot be true when max-file is less than 2 or max-size is not set',
  ],
  ['json-file', { compress: 'x', 'max-size': '1m', 'max-file': '3' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  ['json-file', { compress: '', 'max-size': '1m', 'max-file': '3' }, 'strconv.ParseBool: parsing "": invalid syntax'],
  ['json-file', { compress: 'false' }, ''],
  ['json-file', { compress: 'T', 'max-size': '1m', 'max-file': '2' }, ''],
  ['json-file', { 'env-regex': '(' }, 'error parsing regexp: missing closing ): `(`'],
  ['json-file', { 'env-regex': 'a(?=b)' }, 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  ['json-file', { 'labels-regex': 'a{1001}' }, 'error parsing regexp: invalid repeat count: `{1001}`'],
  ['json-file', { 'labels-regex': '*' }, 'error parsing regexp: missing argument to repetition operator: `*`'],
  ['json-file', { 'labels-regex': '[z-a]' }, 'error parsing regexp: invalid character class range: `z-a`'],
  ['json-file', { 'labels-regex': 'a**' }, 'error parsing regexp: invalid nested repetition operator: `**`'],
  ['json-file', { 'labels-regex': '\\1' }, 'error parsing regexp: invalid escape sequence: `\\1`'],
  ['json-file', { 'env-regex': '(?P<x>a)' }, ''],
  ['json-file', { mode: 'foo' }, 'logger: logging mode not supported: foo'],
  ['json-file', { mode: 'non-blocking' }, ''],
  ['json-file', { mode: '' }, ''],
  [
    'json-file',
    { 'max-buffer-size': '1m' },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  ],
  [
    'json-file',
    { mode: 'blocking', 'max-buffer-size': '1m' },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  ],
  [
    'json-file',
    { mode: 'non-blocking', 'max-buffer-size': 'zz' },
    "error parsing option max-buffer-size: invalid size: 'zz'",
  ],
  [
    'json-file',
    { mode: 'non-blocking', 'max-buffer-size': '' },
    "error parsing option max-buffer-size: invalid size: ''",
  ],
  ['json-file', { mode: 'non-blocking', 'max-buffer-size': '0' }, ''],
  ['json-file', { labels: 'a,b', env: 'X', tag: '' }, ''],
  ['json-file', { 'cache-disabled': 'true' }, ''],
  ['json-file', { 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
  ['json-file', { 'cache-max-size': 'x' }, "invalid value for cache-max-size: x: invalid size: 'x'"],
  ['local', { foo: '1' }, "unknown log opt 'foo' for log driver local"],
  ['local', { tag: 'x' }, "unknown log opt 'tag' for log driver local"],
  ['local', { 'max-size': 'zz' }, "invalid value for max-size: zz: invalid size: 'zz'"],
  ['local', { 'max-size': '0' }, ''],
  ['local', { 'max-file': 'x' }, 'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax'],
  ['local', { 'max-file': '-1' }, 'max file count cannot be less than 0'],
  ['local', { 'max-file': '0' }, 'compression cannot be enabled when max file count is 1'],
  ['local', { 'max-file': '1' }, 'compression cannot be enabled when max file count is 1'],
  ['local', { 'max-file': '1', compress: 'false' }, ''],
  ['local', { compress: 'x' }, 'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax'],
  ['local', { mode: 'non-blocking', 'max-buffer-size': '2m' }, ''],
  ['syslog', { 'syslog-address': 'foo' }, "unsupported scheme: ''"],
  ['syslog', { 'syslog-address': 'http://x' }, "unsupported scheme: 'http'"],
  [
    'syslog',
    { 'syslog-address': 'udp://127.0.0.1:abc' },
    'parse "udp://127.0.0.1:abc": invalid port ":abc" after host',
  ],
  ['syslog', { 'syslog-address': 'tcp://[::1' }, 'parse "tcp://[::1": missing \']\' in host'],
  ['syslog', { 'syslog-address': 'udp://127.0.0.1', 'syslog-facility': 'x' }, 'invalid syslog facility'],
  ['syslog', { 'syslog-facility': '24' }, 'invalid syslog facility'],
  ['syslog', { 'syslog-facility': '-1' }, 'invalid syslog facility'],
  ['syslog', { 'syslog-facility': '23' }, ''],
  ['syslog', { 'syslog-format': 'x' }, 'Invalid syslog format'],
  ['syslog', { foo: 'x' }, "unknown log opt 'foo' for syslog log driver"],
  ['syslog', { 'max-size': '1m' }, "unknown log opt 'max-size' for syslog log driver"],
  ['syslog', { 'cache-foo': 'x' }, "unknown log opt 'cache-foo' for syslog log driver"],
  ['syslog', { 'syslog-address': 'unixgram:///nonesuch' }, 'stat /nonesuch: no such file or directory'],
  ['syslog', { 'syslog-address': 'unix://' }, 'stat : no such file or directory'],
  ['syslog', { 'syslog-address': 'udp://', 'cache-max-size': '1m', 'cache-disabled': 'true' }, ''],
  ['gelf', {}, 'gelf-address is a required parameter'],
  ['gelf', { 'gelf-address': 'x' }, 'gelf: endpoint needs to be TCP or UDP'],
  ['gelf', { 'gelf-address': 'http://x:1' }, 'gelf: endpoint needs to be TCP or UDP'],
  ['gelf', { 'gelf-address': 'udp://127.0.0.1' }, 'gelf: please provide gelf-address as proto://host:port'],
  ['gelf', { 'gelf-address': 'udp://127.0.0.1:1/x' }, ''],
  [
    'gelf',
    { 'gelf-address': 'udp://h:1', 'gelf-compression-type': 'x' },
    'unknown value "x" for log opt "gelf-compression-type" for gelf log driver',
  ],
  [
    'gelf',
    { 'gelf-address': 'udp://h:1', 'gelf-compression-level': '10' },
    'unknown value "10" for log opt "gelf-compression-level" for gelf log driver',
  ],
  ['gelf', { 'gelf-address': 'udp://h:1', 'gelf-compression-level': '-1' }, ''],
  ['gelf', { 'gelf-address': 'tcp://h:1', 'gelf-compression-type': 'none' }, 'compression is only supported on UDP'],
  [
    'gelf',
    { 'gelf-address': 'udp://h:1', 'gelf-tcp-max-reconnect': '1' },
    '"gelf-tcp-max-reconnect" is only valid for TCP',
  ],
  [
    'gelf',
    { 'gelf-address': 'tcp://h:1', 'gelf-tcp-max-reconnect': 'x' },
    '"gelf-tcp-max-reconnect" must be a positive integer',
  ],
  [
    'gelf',
    { 'gelf-address': 'tcp://h:1', 'gelf-tcp-reconnect-delay': '-1' },
    '"gelf-tcp-reconnect-delay" must be a positive integer',
  ],
  ['gelf', { 'gelf-address': 'udp://h:1', foo: '1' }, 'unknown log opt "foo" for gelf log driver'],
  ['fluentd', { foo: '1' }, "unknown log opt 'foo' for fluentd log driver"],
  ['fluentd', { 'fluentd-async-connect': 'true' }, "unknown log opt 'fluentd-async-connect' for fluentd log driver"],
  [
    'fluentd',
    { 'fluentd-address': 'x:y' },
    'invalid fluentd-address (x:y): parse "tcp://x:y": invalid port ":y" after host',
  ],
  ['fluentd', { 'fluentd-address': 'http://x:1' }, "invalid fluentd-address (http://x:1): unsupported scheme: 'http'"],
  [
    'fluentd',
    { 'fluentd-address': '127.0.0.1:99999' },
    'invalid fluentd-address (127.0.0.1:99999): invalid port: strconv.ParseUint: parsing "99999": value out of range',
  ],
  [
    'fluentd',
    { 'fluentd-address': 'tcp://127.0.0.1:1/x' },
    'invalid fluentd-address (tcp://127.0.0.1:1/x): should not contain a path element',
  ],
  ['fluentd', { 'fluentd-address': 'unix://' }, 'invalid fluentd-address (unix://): path is empty'],
  ['fluentd', { 'fluentd-address': 'unix:///nonesuch' }, ''],
  ['fluentd', { 'fluentd-address': ':1234' }, ''],
  ['fluentd', { 'fluentd-async': 'foo' }, 'strconv.ParseBool: parsing "foo": invalid syntax'],
  ['fluentd', { 'fluentd-request-ack': 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  ['fluentd', { 'fluentd-sub-second-precision': 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  [
    'fluentd',
    { 'fluentd-async-reconnect-interval': 'x' },
    'invalid value for fluentd-async-reconnect-interval: time: invalid duration "x"',
  ],
  [
    'fluentd',
    { 'fluentd-async-reconnect-interval': '1ms' },
    'invalid value for fluentd-async-reconnect-interval: value ("1ms") must be between 100ms and 10s',
  ],
  [
    'fluentd',
    { 'fluentd-async-reconnect-interval': '20s' },
    'invalid value for fluentd-async-reconnect-interval: value ("20s") must be between 100ms and 10s',
  ],
  ['fluentd', { 'fluentd-buffer-limit': 'x' }, "invalid size: 'x'"],
  ['fluentd', { 'fluentd-retry-wait': 'x' }, 'time: invalid duration "x"'],
  ['fluentd', { 'fluentd-retry-wait': '2s', 'fluentd-max-retries': '3', 'fluentd-buffer-limit': '1m' }, ''],
  ['fluentd', { 'fluentd-max-retries': 'x' }, 'strconv.ParseUint: parsing "x": invalid syntax'],
  [
    'fluentd',
    { 'fluentd-write-timeout': 'x' },
    'invalid value for fluentd-write-timeout: value must be a duration: time: invalid duration "x"',
  ],
  [
    'fluentd',
    { 'fluentd-write-timeout': '-1s' },
    'invalid value for fluentd-write-timeout: value must be a duration that is non-negative',
  ],
  ['journald', { foo: '1' }, "unknown log opt 'foo' for journald log driver"],
  ['journald', { 'max-size': '1m' }, "unknown log opt 'max-size' for journald log driver"],
  ['journald', { labels: 'x', tag: '{{.Name}}' }, ''],
  ['journald', { 'env-regex': '(' }, 'error parsing regexp: missing closing ): `(`'],
  ['none', { foo: '1', mode: 'x' }, ''],
]

for (const [driver, options, message] of answers)
  test(`${driver} with ${JSON.stringify(options)}: ${message || 'nothing is wrong'}`, () => {
    assert.equal(wrong(driver, options), message)
  })

test('a tag that does not work out is told with its place', () => {
  const tag = (text: string) => wrong('json-file', { tag: text })
  assert.match(tag('{{'), /^invalid value for option tag: .*:1:1: unclosed action$/)
  assert.match(tag('{{.Foo}}'), /:1:3: can't evaluate field Foo$/)
  assert.match(tag('{{foo}}'), /function "foo" not defined$/)
  assert.equal(tag('{{.ID}}/{{.FullID}}/{{.Name}}/{{.ImageName}}/{{.ImageID}}/{{.ImageFullID}}/{{.DaemonName}}'), '')
  for (const driver of ['syslog', 'fluentd', 'journald'])
    assert.match(wrong(driver, { tag: '{{.Foo}}' }), /:1:3: can't evaluate field Foo$/, driver)
  assert.equal(tag('{{with .ExtraAttributes nil}}{{json .}}{{end}}{{.ID | upper}}'), '')
})

test('a pattern takes time in proportion to what it looks at', () => {
  checkLogOptions('json-file', { 'env-regex': '(a+)+$' })
})
