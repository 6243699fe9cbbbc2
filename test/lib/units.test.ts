import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  binarySize,
  decimalSize,
  formatBytes,
  formatDuration,
  humanDuration,
  parseBytes,
  parseDuration,
} from '../../src/lib/units.ts'

const [second, minute, hour, day] = [1e3, 60e3, 3600e3, 86_400e3]

/** That each text is read as its number, and each without one not at all. */
function reads(read: (text: string) => number | undefined, cases: Readonly<Record<string, number | undefined>>): void {
  for (const [text, number] of Object.entries(cases)) test(`reads "${text}"`, () => assert.equal(read(text), number))
}

function shows(show: (value: number) => string, cases: readonly (readonly [value: number, text: string])[]): void {
  for (const [value, text] of cases) test(`shows ${value} as "${text}"`, () => assert.equal(show(value), text))
}

describe('parseBytes()', () =>
  reads(parseBytes, {
    ...{
      '0': 0,
      '5b': 5,
      '64m': 64 * 1024 ** 2,
      '1.5gb': 1.5 * 1024 ** 3,
      '512kib': 512 * 1024,
      '1 k': 1024,
      '2T': 2 * 1024 ** 4,
    },
    ...{
      '1p': 1024 ** 5,
      '+3': 3,
      '1e6': 1e6,
      '1e+2': 100,
      '1e-1k': 102,
      '.55k': 563,
      '1.k': 1024,
      '1_000': 1000,
      '10_00_0': 10_000,
    },
    ...{ '1.0001': 1 },
    ...{
      '': undefined,
      k: undefined,
      '1x': undefined,
      '1  k': undefined,
      '-1': undefined,
      '1kk': undefined,
      '1 k ': undefined,
    },
    ...{
      _1: undefined,
      '1_': undefined,
      '1.2.3': undefined,
      '.': undefined,
      '1e': undefined,
      x1: undefined,
      '1i': undefined,
    },
  }))

describe('formatBytes()', () =>
  shows(formatBytes, [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 * 12.345, '12.3 MiB'],
    [1024 ** 3, '1 GiB'],
    [1024 ** 4, '1 TiB'],
    [1024 ** 6, '1020 PiB'],
  ]))

describe('decimalSize()', () =>
  shows(decimalSize, [
    [999, '999B'],
    [1000, '1kB'],
    [1_984_000, '1.98MB'],
    [1e9, '1GB'],
    [1e12, '1TB'],
    [1e15, '1PB'],
    [1e18, '1EB'],
    [1e21, '1000EB'],
  ]))

describe('binarySize()', () =>
  shows(binarySize, [
    [1023, '1023B'],
    [1024, '1KiB'],
    [1024 ** 2 * 1.23456, '1.235MiB'],
    [1024 ** 3 * 23.54, '23.54GiB'],
    [1024 ** 4, '1TiB'],
    [1024 ** 5, '1PiB'],
    [1024 ** 6, '1EiB'],
    [1024 ** 7, '1024EiB'],
  ]))

describe('parseDuration()', () =>
  reads(parseDuration, {
    ...{
      '0': 0,
      '+0': 0,
      '7ns': 7,
      '100us': 1e5,
      '1µs': 1e3,
      '1μs': 1e3,
      '1.5ms': 1.5e6,
      '2s': 2e9,
      '12.25s': 12.25e9,
      '.25s': 0.25e9,
      '1m30s': 90e9,
      '.5h': 1800e9,
    },
    ...{
      '1.h': 3600e9,
      '2d': 172_800e9,
      '1w': 604_800e9,
      '-1s': -1e9,
      '+1s': 1e9,
      '0.4ns': 0,
      '1h2m3s4ms': 3_723_004e6,
    },
    ...{
      '': undefined,
      '1': undefined,
      s: undefined,
      '1x': undefined,
      '1s2': undefined,
      x1s: undefined,
      '--1s': undefined,
    },
    ...{ '1s ': undefined, '.s': undefined, '16000w': undefined, '1.2.3s': undefined },
  }))

describe('formatDuration()', () =>
  shows(formatDuration, [
    [0, '0s'],
    [1, '1ns'],
    [999, '999ns'],
    [1e3, '1µs'],
    [1e5, '100µs'],
    [1e6, '1ms'],
    [-1.5e6, '-1.5ms'],
    [-5, '-5ns'],
    [-2e3, '-2µs'],
    [1e9, '1s'],
    [-2e9, '-2s'],
    [59.5e9, '59.5s'],
    [60e9, '1m0s'],
    [90e9, '1m30s'],
    [-90e9, '-1m30s'],
    [3600e9, '1h0m0s'],
    [-3661e9, '-1h1m1s'],
    [90_061e9, '25h1m1s'],
  ]))

describe('humanDuration()', () =>
  shows(humanDuration, [
    [999, 'Less than a second'],
    [second, '1 second'],
    [1.9 * second, '1 second'],
    [2 * second, '2 seconds'],
    [minute - 1, '59 seconds'],
    [minute, 'About a minute'],
    [2 * minute, '2 minutes'],
    [59 * minute, '59 minutes'],
    [60 * minute, 'About an hour'],
    [1.5 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13.9 * day, '13 days'],
    [14 * day, '2 weeks'],
    [59 * day, '8 weeks'],
    [60 * day, '2 months'],
    [729 * day, '24 months'],
    [730 * day, '2 years'],
  ]))
