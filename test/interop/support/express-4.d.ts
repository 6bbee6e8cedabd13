/** Express 4, by the types of 5: the calls of these tests are in both. */
declare module 'express-4' {
  import express from 'express';
  export = express;
}
