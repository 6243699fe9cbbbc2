import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extraAttributes, type LogInfo, recordAttributes, tagOf } from '../../../src/engine/logs/log-info.ts'

const info: LogInfo = {
  id: 'cd5b719e7f609049f79c3a6a4c077a63c8a5c33f9e4072fa342c4118acdc475e',
  name: 'shop-web-1',
  imageId: 'sha256:17f0e3ecf49d0c73f1b410ada89ad9f83eb05ebcdd85692f9c9745dcd2885145',
  imageName: 'busybox:latest',
  created: '2026-11-28T23:34:34.295677509Z',
  path: 'sh',
  args: ['-c', 'echo out'],
  env: ['X=1 & <2>', 'Y=2', 'NOEQ', 'A_B=3'],
  labels: { 'com.a': '1', 'b c': 'ü', 'com.z': '9' },
  hostname: 'vm',
  logPath: '/x-json.log',
  options: {},
}
const with_ = (options: LogInfo['options']): LogInfo => ({ ...info, options })

test('tagOf() fills a template in as a Docker Engine does', () => {
  const tag = (text: string) => tagOf(with_({ tag: text }))
  assert.equal(tag('{{.ID}}/{{.FullID}}'), `cd5b719e7f60/${info.id}`)
  assert.equal(tag('{{.Name}}|{{.ContainerName}}'), 'shop-web-1|/shop-web-1')
  assert.equal(tag('{{.ImageName}} {{.ImageID}} {{.ImageFullID}}'), `busybox:latest sha256:17f0e ${info.imageId}`)
  assert.equal(tag('{{.DaemonName}}/{{.Hostname}}/{{.Command}}'), 'docker/vm/sh -c echo out')
  assert.equal(tag('{{.ContainerEnv}}{{.ContainerArgs}}'), '[X=1 & <2> Y=2 NOEQ A_B=3][-c echo out]')
  assert.equal(tag('{{.ContainerLabels}}'), 'map[b c:ü com.a:1 com.z:9]')
  assert.equal(tag('plain'), 'plain')
})

test('tagOf() is the usual one when none is asked for', () => {
  assert.equal(tagOf(info, '{{.ID}}'), 'cd5b719e7f60')
  assert.equal(tagOf(with_({ tag: '' }), '{{.ID}}'), 'cd5b719e7f60')
  assert.equal(tagOf(info), '')
})

test('tagOf() knows what else the log tells', () => {
  const options = { env: 'Y', labels: 'com.a', tag: '{{with .ExtraAttributes nil}}{{json .}}{{end}}' }
  assert.equal(tagOf(with_(options)), '{"Y":"2","com.a":"1"}')
})

test('extraAttributes() are the labels and variables that are named or match; a variable without a value is none', () => {
  const extra = (options: LogInfo['options']) => extraAttributes(with_(options))
  assert.deepEqual(extra({}), {})
  assert.deepEqual(extra({ labels: 'com.a,nope,b c' }), { 'com.a': '1', 'b c': 'ü' })
  assert.deepEqual(extra({ 'labels-regex': '^com\\.' }), { 'com.a': '1', 'com.z': '9' })
  assert.deepEqual(extra({ env: 'X,NOEQ', 'env-regex': '_' }), { X: '1 & <2>', A_B: '3' })
  assert.deepEqual(extra({ labels: '', env: '' }), {})
})

test('recordAttributes() have the tag beside them, where there is one', () => {
  assert.deepEqual(recordAttributes(with_({ tag: 'x', env: 'Y' })), { Y: '2', tag: 'x' })
  assert.deepEqual(recordAttributes(with_({ tag: '' })), {})
})
