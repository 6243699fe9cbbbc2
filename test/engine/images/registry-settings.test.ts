/** Settings of registries: which are insecure, and where they come from. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import { registryConfig } from '../../../src/engine/containers/show/registry-config.ts'
import { defaultSettings, isInsecure } from '../../../src/engine/images/registry/settings.ts'
import { registrySettings } from '../../../src/engine/settings/effective.ts'
import { parseSettings } from '../../../src/engine/settings/read.ts'

describe('settings', () => {
  test('isInsecure() knows loopback, hosts, hosts with ports and ranges', () => {
    const settings = { ...defaultSettings, insecure: ['r.test', 's.test:5000', '10.1.0.0/16', 'fd00::/8'] }
    const of = (url: string) => isInsecure(new URL(url), settings)
    for (const url of [
      'http://127.0.0.1:5000',
      'http://[::1]',
      'http://localhost',
      'http://r.test:9',
      'http://s.test:5000',
      'http://10.1.2.3',
      'http://[fd00::1]',
    ])
      assert.ok(of(url), url)
    for (const url of [
      'http://127.0.0.1.example',
      'http://s.test',
      'http://10.2.0.1',
      'http://x.r.test',
      'http://[fe00::1]',
    ])
      assert.ok(!of(url), url)
  })

  test('come from flags, file and environment, in this order', () => {
    const read = (content: unknown, flags = {}, env = {}) =>
      registrySettings(flags, parseSettings(JSON.stringify(content), 'engine.yaml'), { env, defaults: defaultSettings })
    const found = read(
      {
        'registry-mirrors': ['https://b.test'],
        'insecure-registries': ['i.test'],
        proxies: { 'http-proxy': 'http://p' },
      },
      { 'registry-mirror': ['https://a.test'] },
      { HTTP_PROXY: 'http://q', HTTPS_PROXY: 'http://r', no_proxy: 'x' },
    )
    assert.deepEqual(found.mirrors, ['https://a.test', 'https://b.test'])
    assert.deepEqual(found.insecure, ['i.test'])
    assert.deepEqual(found.proxy, { http: 'http://p', https: 'http://r', no: 'x' })
    for (const [content, text] of [
      [{ mirrors: [] }, /^engine\.yaml:1:2 mirrors\n {2}There is no such setting$/],
      [
        { 'registry-mirrors': ['ftp://x'] },
        /^engine\.yaml:1:22 registry-mirrors\.0\n {2}Cannot use registry mirror "ftp:\/\/x"/,
      ],
      [{ 'insecure-registries': ['http://x'] }, /Cannot use insecure registry "http:\/\/x"/],
      [{ 'insecure-registries': ['10.0.0.0/99'] }, /Cannot use insecure registry "10\.0\.0\.0\/99"/],
    ] as const)
      assert.throws(() => read(content), { message: text })
    assert.throws(() => read({}, { 'registry-mirror': ['ftp://x'] }), /Cannot use registry mirror "ftp:\/\/x"/)
  })

  test('info has ranges where clients of Go read ranges, hosts by their names', () => {
    const { IndexConfigs, InsecureRegistryCIDRs, Mirrors } = registryConfig({
      ...defaultSettings,
      insecure: ['r.test', '127.0.0.1:5000', '10.1.0.0/16', '127.0.0.0/8'],
      mirrors: ['http://m.test', 'r.test=http://n.test'],
    })
    assert.deepEqual(InsecureRegistryCIDRs, ['::1/128', '127.0.0.0/8', '10.1.0.0/16'])
    for (const range of InsecureRegistryCIDRs) assert.ok(isIP(range.split('/')[0]!), range)
    assert.deepEqual(IndexConfigs, {
      'r.test': { Name: 'r.test', Mirrors: ['http://n.test/'], Secure: false, Official: false },
      '127.0.0.1:5000': { Name: '127.0.0.1:5000', Mirrors: [], Secure: false, Official: false },
      'docker.io': { Name: 'docker.io', Mirrors: ['http://m.test/'], Secure: true, Official: true },
    })
    assert.deepEqual(Mirrors, ['http://m.test', 'r.test=http://n.test'])
  })
})
