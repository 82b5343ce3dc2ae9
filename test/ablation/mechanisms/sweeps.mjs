// What lets a look through the whole fleet come to its end.

const FILE = 'packages/core/src/fleet/every-row.ts'
const TESTS = 'test/core/every-row.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const SWEEPS = [
  {
    mechanism: 'names of the shops of a sweep',
    without: 'a database that fails for a moment has shops visited again that are due still',
    file: FILE,
    replace: [['if (this.#visited.has(shop)) return false', '']],
    test: {
      file: TESTS,
      group: 'a store that fails in the middle',
      title: 'of a sweep is asked again, and no shop is visited twice though its visit changed nothing',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'way past rows that nobody understands',
    without: 'one row of a newer version keeps every shop behind it from being swept, for good',
    file: FILE,
    replace: [['if (!isShop(error.shop)) throw error', 'if (error.shop !== null) throw error']],
    test: {
      file: TESTS,
      group: 'a row that nobody understands',
      title: 'in %s is named once, wherever it stands, and those behind it are visited',
    },
    failure: 'made by a newer version',
  },
]
