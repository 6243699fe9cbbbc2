import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { HostConfig } from '../../../src/api/container-body.ts'
import { fillHostConfig } from '../../../src/engine/containers/config/host-config.ts'
import { type LogDefaults, usualLog } from '../../../src/engine/logs/log-defaults.ts'
import { logDefaults, type SettingFlags } from '../../../src/engine/settings.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

function settings(t: TestContext, file: object, flags: SettingFlags = {}): LogDefaults {
  const config = join(temporaryFolder(t), 'engine.json')
  writeFileSync(config, JSON.stringify(file))
  return logDefaults({ config, ...flags })
}

test('nothing said is json-file without options of its own', t => {
  assert.deepEqual(settings(t, {}), { driver: 'json-file', options: {} })
})

test('the file has the words of daemon.json, and flags go before it', t => {
  const file = { 'log-driver': 'local', 'log-opts': { 'max-size': '5m', 'max-file': '2' } }
  assert.deepEqual(settings(t, file), { driver: 'local', options: { 'max-size': '5m', 'max-file': '2' } })
  assert.deepEqual(settings(t, file, { 'log-opt': ['max-size=1m'] }).options, { 'max-size': '1m', 'max-file': '2' })
  const other = settings(t, file, { 'log-driver': 'syslog', 'log-opt': ['tag=a=b'] })
  assert.deepEqual(other, { driver: 'syslog', options: { tag: 'a=b' } })
})

test('what no container could be made with does not start an engine', t => {
  assert.throws(() => settings(t, { 'log-driver': 'nope' }), /^Failure: Cannot log with driver "nope": it should be /)
  assert.throws(() => settings(t, { 'log-driver': 'splunk' }), /Cannot log with driver "splunk"/)
  assert.throws(
    () => settings(t, { 'log-opts': { 'max-file': 'x' } }),
    /Cannot log with driver "json-file" and the options given: strconv\.Atoi: parsing "x": invalid syntax/,
  )
  assert.throws(
    () => settings(t, {}, { 'log-opt': ['max-size'] }),
    /Cannot use log option "max-size": it should be NAME=VALUE/,
  )
  assert.throws(() => settings(t, { 'log-driver': 'gelf' }), /gelf-address is a required parameter/)
})

test('a container shows the settings of the engine where it has the same driver, and its own before them', () => {
  const shown = (logs: LogDefaults, LogConfig?: HostConfig['LogConfig']) => {
    const machine = { cpus: 1, logs, nodes: () => 1, lacking: () => undefined }
    return fillHostConfig(LogConfig ? { LogConfig } : {}, machine).hostConfig.LogConfig
  }
  assert.deepEqual(shown(usualLog), { Type: 'json-file', Config: {} })
  const logs = { driver: 'local', options: { 'max-size': '5m', 'max-file': '2' } }
  assert.deepEqual(shown(logs), { Type: 'local', Config: logs.options })
  assert.deepEqual(shown(logs, { Type: '', Config: { 'max-size': '1m' } }), {
    Type: 'local',
    Config: { 'max-size': '1m', 'max-file': '2' },
  })
  assert.deepEqual(shown(logs, { Type: 'json-file', Config: {} }), { Type: 'json-file', Config: {} })
})
