// Causal attention with the words DIM, TYPE, ROWS, KEYS and WARPS to be replaced.
tile.kernel @causal heads(9, 3)
    schedule(<rows = ROWS, keys = KEYS, stages = 2, warps = WARPS>) params([])
    (%Q: !tile.view<DIMxTYPE>, %K: !tile.view<DIMxTYPE>, %V: !tile.view<DIMxTYPE>,
     %O: !tile.view<DIMxTYPE>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32) {
  %end = arith.constant 1073741824 : i32
  %one = arith.constant 1 : i32
  %rows = arith.constant ROWS : i32
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %factor = arith.constant 0.125 : f32
  %offset = arith.subi %nk, %nq : i32
  %q0 = arith.addi %row, %offset : i32
  %past = arith.addi %row, %rows : i32
  %pastValid = arith.minsi %past, %nq : i32
  %lastRow = arith.subi %pastValid, %one : i32
  %q1 = arith.addi %lastRow, %offset : i32
  %afterFirst = arith.addi %q0, %one : i32
  %afterLast = arith.addi %q1, %one : i32
  %q = tile.load %Q[%row of %nq] : !tile.view<DIMxTYPE> -> !tile.tile<ROWSxDIMxTYPE>
  %m0 = tile.fill %ninf : f32 -> !tile.tile<ROWSx1xf32>
  %l0 = tile.fill %zero : f32 -> !tile.tile<ROWSx1xf32>
  %o0 = tile.fill %zero : f32 -> !tile.tile<ROWSxDIMxf32>
  %m, %l, %o = tile.keys %K, %V to %nk init(%m0, %l0, %o0)
      : !tile.view<DIMxTYPE>, !tile.view<DIMxTYPE>,
        (!tile.tile<ROWSx1xf32>, !tile.tile<ROWSx1xf32>, !tile.tile<ROWSxDIMxf32>)
        -> (!tile.tile<ROWSx1xf32>, !tile.tile<ROWSx1xf32>, !tile.tile<ROWSxDIMxf32>)
  walk {
  ^bb0(%t: i32):
    %any = arith.cmpi sle, %t, %q1 : i32
    %all = arith.cmpi sle, %t, %q0 : i32
    %u1 = arith.select %any, %afterLast, %end : i32
    %until = arith.select %all, %afterFirst, %u1 : i32
    tile.run %any, %all, %until
  } body {
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<KEYSxDIMxTYPE>, %v: !tile.tile<KEYSxDIMxTYPE>,
       %mi: !tile.tile<ROWSx1xf32>, %li: !tile.tile<ROWSx1xf32>, %oi: !tile.tile<ROWSxDIMxf32>):
    %s = tile.dot %q, %k transposed
        : !tile.tile<ROWSxDIMxTYPE>, !tile.tile<KEYSxDIMxTYPE> -> !tile.tile<ROWSxKEYSxf32>
    %p, %m1, %l1, %a = tile.online_softmax %s, %mi, %li at(%q0, %col) masked %masked
        : !tile.tile<ROWSxKEYSxf32>, !tile.tile<ROWSx1xf32> -> !tile.tile<ROWSxKEYSxTYPE>
    score {
    ^bb0(%x: f32, %qi: i32, %ki: i32):
      %x2 = arith.mulf %x, %factor : f32
      tile.yield %x2 : f32
    } keep {
    ^bb0(%qi: i32, %ki: i32):
      %causal = arith.cmpi sle, %ki, %qi : i32
      %inside = arith.cmpi slt, %ki, %nk : i32
      %keep = arith.andi %causal, %inside : i1
      tile.yield %keep : i1
    }
    %o1 = tile.rescale %oi by %a : !tile.tile<ROWSxDIMxf32>, !tile.tile<ROWSx1xf32>
    %o2 = tile.dot %p, %v acc %o1 : !tile.tile<ROWSxDIMxf32>
        : !tile.tile<ROWSxKEYSxTYPE>, !tile.tile<KEYSxDIMxTYPE> -> !tile.tile<ROWSxDIMxf32>
    tile.yield %m1, %l1, %o2
        : !tile.tile<ROWSx1xf32>, !tile.tile<ROWSx1xf32>, !tile.tile<ROWSxDIMxf32>
  }
  tile.store_result %o, %m, %l to %O, %LSE[%row of %nq]
      : !tile.tile<ROWSxDIMxf32>, !tile.tile<ROWSx1xf32>, !tile.view<DIMxTYPE>, !tile.view<1xf32>
}
