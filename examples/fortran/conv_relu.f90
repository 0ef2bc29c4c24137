! An int8 conv+relu in Fortran, which can implement the interface because that is plain C. It follows FBGEMM's exact
! contract bit for bit.
!
!   gfortran -O2 -ffp-contract=off -shared -fPIC conv_relu.f90 -o libconv_relu_fortran.so
!   tieout fuzz --subject ./libconv_relu_fortran.so
module conv_relu
  use, intrinsic :: iso_c_binding
  use, intrinsic :: ieee_arithmetic, only: ieee_rint
  implicit none

  ! The fields of struct tieout_conv in tieout_kernel.h, in the same order.
  type, bind(c) :: tieout_conv
    integer(c_int64_t) :: size, dims, batch, in_channels, out_channels, groups
    integer(c_int64_t), dimension(3) :: input, kernel, stride, padding, dilation, output_size
    real(c_double) :: activation_scale
    integer(c_int64_t) :: activation_zero_point, per_channel
    type(c_ptr) :: weight_scales, weight_zero_points
    real(c_double) :: output_scale
    integer(c_int64_t) :: output_zero_point, relu
    type(c_ptr) :: bias, activation, weight, output
  end type

  interface
    real(c_float) function fmaf(a, b, c) bind(c)  ! the function of libm, with one rounding
      import :: c_float
      real(c_float), value :: a, b, c
    end function
  end interface

contains

  function tieout_conv_relu(c) bind(c) result(reason)
    type(tieout_conv), intent(in) :: c
    type(c_ptr) :: reason
    integer(c_int8_t), pointer :: y(:, :, :, :, :)  ! Fortran's first dimension is contiguous
    integer(c_int64_t) :: n, k, d, h, w

    call c_f_pointer(c%output, y, [c%output_size(3), c%output_size(2), c%output_size(1), c%out_channels, c%batch])
    do n = 1, c%batch
      do k = 1, c%out_channels
        do d = 1, c%output_size(1)
          do h = 1, c%output_size(2)
            do w = 1, c%output_size(3)
              y(w, h, d, k, n) = requantized(c, k, window_sum(c, n, k, [d, h, w]))
            end do
          end do
        end do
      end do
    end do
    reason = c_null_ptr
  end function

  ! Returns the exact sum of products of one window, with zero points subtracted, modulo 2^32. o: output position, from
  ! 1.
  function window_sum(c, n, k, o) result(raw)
    type(tieout_conv), intent(in) :: c
    integer(c_int64_t), intent(in) :: n, k, o(3)
    integer(c_int32_t) :: raw
    integer(c_int8_t), pointer :: x(:, :, :, :, :), weight(:, :, :, :, :)
    integer(c_int64_t), pointer :: wz(:)
    integer(c_int64_t) :: channels, first, i, kd, kh, kw, at(3), total

    channels = c%in_channels / c%groups
    first = (k - 1) / (c%out_channels / c%groups) * channels
    call c_f_pointer(c%activation, x, [c%input(3), c%input(2), c%input(1), c%in_channels, c%batch])
    call c_f_pointer(c%weight, weight, [c%kernel(3), c%kernel(2), c%kernel(1), channels, c%out_channels])
    call c_f_pointer(c%weight_zero_points, wz, [merge(c%out_channels, 1_c_int64_t, c%per_channel /= 0)])
    total = 0
    do i = 1, channels
      do kd = 1, c%kernel(1)
        do kh = 1, c%kernel(2)
          do kw = 1, c%kernel(3)
            at = (o - 1) * c%stride + ([kd, kh, kw] - 1) * c%dilation - c%padding + 1
            if (any(at < 1 .or. at > c%input)) cycle
            ! Fortran has no unsigned bytes and reads 255 as -1, which iand() undoes.
            total = total + (iand(int(x(at(3), at(2), at(1), first + i, n), c_int64_t), 255_c_int64_t) &
                             - c%activation_zero_point) &
                          * (weight(kw, kh, kd, i, k) - wz(merge(k, 1_c_int64_t, c%per_channel /= 0)))
          end do
        end do
      end do
    end do
    raw = transfer(total, raw)  ! the low 32 bits
  end function

  function requantized(c, k, raw) result(y)
    type(tieout_conv), intent(in) :: c
    integer(c_int64_t), intent(in) :: k
    integer(c_int32_t), intent(in) :: raw
    integer(c_int8_t) :: y
    real(c_double), pointer :: ws(:)
    real(c_float), pointer :: bias(:)
    real(c_float) :: unit, s
    integer(c_int64_t) :: q

    call c_f_pointer(c%weight_scales, ws, [merge(c%out_channels, 1_c_int64_t, c%per_channel /= 0)])
    unit = real(c%activation_scale, c_float) * real(ws(merge(k, 1_c_int64_t, c%per_channel /= 0)), c_float)
    s = real(raw, c_float)
    if (c_associated(c%bias)) then
      call c_f_pointer(c%bias, bias, [c%out_channels])
      if (c%per_channel /= 0) then
        s = s + bias(k) / unit
      else
        s = fmaf(bias(k), 1.0_c_float / unit, s)
      end if
    end if
    s = s * (unit / real(c%output_scale, c_float))
    q = -2147483648_c_int64_t
    if (s >= -2147483648.0_c_float .and. s < 2147483648.0_c_float) q = int(ieee_rint(s), c_int64_t)
    q = min(max(q, -32768_c_int64_t), 32767_c_int64_t) + c%output_zero_point
    q = min(max(q, merge(c%output_zero_point, 0_c_int64_t, c%relu /= 0)), 255_c_int64_t)
    y = transfer(q, y)  ! the low 8 bits
  end function
end module
