import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from '../../../src/api/container-body.ts'
import { fillHostConfig } from '../../../src/engine/containers/config/host-config.ts'
import { type LogDefaults, usualLog } from '../../../src/engine/logs/log-defaults.ts'
import { logDefaults, type SettingFlags } from '../../../src/engine/settings/effective.ts'
import { parseSettings } from '../../../src/engine/settings/read.ts'

function settings(file: object, flags: SettingFlags = {}): LogDefaults {
  return logDefaults(flags, parseSettings(JSON.stringify(file), 'engine.yaml'))
}

test('nothing said is json-file without options of its own', () => {
  assert.deepEqual(settings({}), { driver: 'json-file', options: {} })
})

test('the file has the words of daemon.json, and flags go before it', () => {
  const file = { 'log-driver': 'local', 'log-opts': { 'max-size': '5m', 'max-file': '2' } }
  assert.deepEqual(settings(file), { driver: 'local', options: { 'max-size': '5m', 'max-file': '2' } })
  assert.deepEqual(settings(file, { 'log-opt': ['max-size=1m'] }).options, { 'max-size': '1m', 'max-file': '2' })
  const other = settings(file, { 'log-driver': 'syslog', 'log-opt': ['tag=a=b'] })
  assert.deepEqual(other, { driver: 'syslog', options: { tag: 'a=b' } })
})

test('what no container could be made with does not start an engine', () => {
  assert.throws(() => settings({ 'log-driver': 'nope' }), /^Failure: Cannot log with driver "nope": it should be /)
  assert.throws(() => settings({ 'log-driver': 'splunk' }), /Cannot log with driver "splunk"/)
  assert.throws(
    () => settings({ 'log-opts': { 'max-file': 'x' } }),
    /Cannot log with driver "json-file" and the options given: strconv\.Atoi: parsing "x": invalid syntax/,
  )
  assert.throws(
    () => settings({}, { 'log-opt': ['max-size'] }),
    /Cannot use log option "max-size": it should be NAME=VALUE/,
  )
  assert.throws(() => settings({ 'log-driver': 'gelf' }), /gelf-address is a required parameter/)
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
