import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compareApplies, differenceText, type Side } from '../../src/history/compare.ts'
import { network, project, service, volume } from '../targets/engine/plan/project.ts'

function side(own: Partial<Side> & Pick<Side, 'project'>): Side {
  return { images: {}, files: {}, ...own }
}

const texts = (from: Side, to: Side) => compareApplies(from, to).map(differenceText)

describe('compareApplies()', () => {
  test('finds nothing between equals', () => {
    const one = side({ project: project([service('web')], { volumes: { data: volume('data') } }) })
    assert.deepEqual(compareApplies(one, one), [])
  })

  test('tells each field of a service with both values', () => {
    const port = { target: 80, protocol: 'tcp', mode: 'ingress', path: [] } as const
    const from = side({
      project: project([
        service('web', { environment: { TAG: 'one', GONE: 'x' }, ports: [{ ...port, published: '80' }] }),
      ]),
      images: { busybox: { id: `sha256:${'a'.repeat(64)}` } },
    })
    const to = side({
      project: project([
        service('web', { environment: { TAG: 'two' }, ports: [{ ...port, published: '81' }], replicas: 2 }),
      ]),
      images: { busybox: { id: `sha256:${'b'.repeat(64)}` } },
    })
    assert.deepEqual(texts(from, to), [
      '~ web: image digest aaaaaaaaaaaa→bbbbbbbbbbbb · scale 1→2 · environment.GONE -x · environment.TAG one→two · ports 80:80→81:80',
    ])
  })

  test('shows what looks secret by a hash alone', () => {
    const of = (value: string) => side({ project: project([service('web', { environment: { DB_PASSWORD: value } })]) })
    const [text] = texts(of('hunter2'), of('hunter3'))
    assert.match(text!, /environment\.DB_PASSWORD #[0-9a-f]{8}→#[0-9a-f]{8}$/)
  })

  test('tells services, networks and volumes that came or went', () => {
    const from = side({ project: project([service('old')], { volumes: { gone: volume('gone') } }) })
    const to = side({
      project: project([service('new')], { networks: { default: network('default'), back: network('back') } }),
    })
    assert.deepEqual(texts(from, to), ['+ new', '- old', '+ network back', '- volume gone'])
  })

  test('takes the replicas that were asked for by --scale', () => {
    const of = (count: number) => side({ project: project([service('web')]), scale: { web: count } })
    assert.deepEqual(texts(of(1), of(3)), ['~ web: scale 1→3'])
  })

  test('sees a changed file behind a config', () => {
    const configs = {
      page: { key: 'page', name: 'shop_page', labels: {}, source: { kind: 'file', file: '/page' } },
    } as const
    const references = [{ source: 'page', target: '/page', path: [] }]
    const of = (hash: string) =>
      side({ project: project([service('web', { configs: references })], { configs }), files: { '/page': hash } })
    assert.match(texts(of('1'), of('2'))[0]!, /^~ web: configs\.page\.content #[0-9a-f]{8}→#[0-9a-f]{8}$/)
  })
})
