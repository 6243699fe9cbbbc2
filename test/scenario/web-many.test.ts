/** The web view with 50 stacks of 20 services: drawn at once, and a change of one is a change of one row. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { ContainerSummary } from '../../src/api/containers.ts'
import { summary } from '../cli/fake-client.ts'
import { openBrowser } from '../support/browser.ts'
import { lacking, program } from '../support/needs.ts'
import { engineOf, roadsOf, type Served, serve } from '../web/serving.ts'

describe('the web view of 50 stacks', { skip: lacking(program('chromium')) }, () => {
  const events = new PassThrough({ objectMode: true })
  let state: Partial<ContainerSummary> = {}
  let view: Served
  let browser: Browser
  let page: Page

  before(async () => {
    const client = engineOf({
      containerList: () =>
        Array.from({ length: 1000 }, (_, at) => {
          const one = summary(`service${at % 20}`, 1, at === 999 ? state : {})
          return {
            ...one,
            Id: String(at).padStart(64, '0'),
            Labels: {
              ...one.Labels,
              'com.docker.compose.project': `stack${String(Math.floor(at / 20)).padStart(2, '0')}`,
            },
          }
        }),
      events: () => events,
    })
    view = await serve(roadsOf(client))
    browser = await openBrowser()
    page = await browser.newPage()
    await page.goto(view.logins[0]!)
  })
  after(async () => {
    await browser?.close()
    await view?.[Symbol.asyncDispose]()
  })

  test('draws all of them, and of a change the one row', async t => {
    await page.locator('.stack-row').nth(49).waitFor()
    assert.equal(await page.locator('.stack-row .dot').count(), 50 * 21)
    // it looks before anything happens: what it is told of then is all there is
    const watch = await page.evaluateHandle(() => {
      const { promise, resolve } = Promise.withResolvers<{ readonly rows: number; readonly at: number }>()
      new MutationObserver((records, observer) => {
        observer.disconnect()
        const rows = new Set(
          records.map(({ target }) => (target.parentElement ?? (target as Element)).closest('.stack-row')),
        )
        resolve({ rows: rows.size, at: Date.now() })
      }).observe(document.querySelector('.stacks')!, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      })
      return { changed: promise }
    })
    state = { State: 'paused', Status: 'Up 3 minutes (Paused)' }
    const begin = Date.now()
    events.write({ Type: 'container', Action: 'pause', Actor: { ID: 'x', Attributes: {} }, time: 1, timeNano: 1e9 })
    const { rows, at } = await watch.evaluate(({ changed }) => changed)
    assert.equal(rows, 1)
    t.diagnostic(`after ${at - begin} ms`)
    await page.getByRole('searchbox').fill('stack49')
    await page.locator('.stack-row').nth(1).waitFor({ state: 'detached' })
    assert.match(await page.locator('.stack-row').innerText(), /1 paused, 19 running/)
  })
})
